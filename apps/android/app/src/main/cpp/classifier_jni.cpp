// SPDX-License-Identifier: Apache-2.0
// The native methods of Classifier.java: espalier.h for Java. Java checks what it hands over; text is UTF-8 in byte[].
#include <jni.h>

#include <cstring>

#include "apps/inference/espalier.h"

namespace {

// NOLINTNEXTLINE(performance-no-int-to-ptr): a long is how Java keeps it
espalier_classifier* from(jlong handle) { return reinterpret_cast<espalier_classifier*>(handle); }

jbyteArray bytes_of(JNIEnv* env, const char* text) {
  const auto size = static_cast<jsize>(std::strlen(text));
  jbyteArray bytes = env->NewByteArray(size);
  if (bytes != nullptr) env->SetByteArrayRegion(bytes, 0, size, reinterpret_cast<const jbyte*>(text));
  return bytes;  // nullptr: OutOfMemoryError is on its way
}

// The bytes of an array that may be null. data() is nullptr where it is, or where OutOfMemoryError is on its way.
class Bytes {
 public:
  Bytes(JNIEnv* env, jbyteArray array) : env_(env), array_(array) {
    if (array == nullptr) return;
    size_ = env->GetArrayLength(array);
    data_ = env->GetByteArrayElements(array, nullptr);
  }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  ~Bytes() {
    if (data_ != nullptr) env_->ReleaseByteArrayElements(array_, data_, JNI_ABORT);
  }
  const char* data() const { return reinterpret_cast<const char*>(data_); }
  size_t size() const { return static_cast<size_t>(size_); }

 private:
  JNIEnv* env_;
  jbyteArray array_;
  jbyte* data_ = nullptr;
  jsize size_ = 0;
};

}  // namespace

extern "C" {
// NOLINTBEGIN(readability-identifier-naming): JNI finds them by these names

JNIEXPORT jint JNICALL Java_org_espalier_Classifier_open(JNIEnv* env, jclass, jobject buffer, jlong size,
                                                         jlongArray handle) {
  espalier_classifier* classifier = nullptr;
  const int code =
      espalier_open_memory(env->GetDirectBufferAddress(buffer), static_cast<size_t>(size), nullptr, &classifier);
  const auto number = reinterpret_cast<jlong>(classifier);
  env->SetLongArrayRegion(handle, 0, 1, &number);
  return code;
}

JNIEXPORT void JNICALL Java_org_espalier_Classifier_close(JNIEnv*, jclass, jlong handle) {
  espalier_close(from(handle));
}

JNIEXPORT jbyteArray JNICALL Java_org_espalier_Classifier_error(JNIEnv* env, jclass) {
  return bytes_of(env, espalier_error());
}

JNIEXPORT jbyteArray JNICALL Java_org_espalier_Classifier_task(JNIEnv* env, jclass, jlong handle) {
  return bytes_of(env, espalier_task(from(handle)));
}

JNIEXPORT jlong JNICALL Java_org_espalier_Classifier_labelCount(JNIEnv*, jclass, jlong handle) {
  return static_cast<jlong>(espalier_label_count(from(handle)));
}

JNIEXPORT jbyteArray JNICALL Java_org_espalier_Classifier_labelName(JNIEnv* env, jclass, jlong handle, jlong index) {
  return bytes_of(env, espalier_label_name(from(handle), static_cast<size_t>(index)));
}

JNIEXPORT jint JNICALL Java_org_espalier_Classifier_classify(JNIEnv* env, jclass, jlong handle, jbyteArray first,
                                                             jbyteArray second, jdoubleArray scores, jintArray label) {
  const Bytes one(env, first);
  const Bytes two(env, second);
  if (one.data() == nullptr || (second != nullptr && two.data() == nullptr)) return ESPALIER_OK;
  jdouble* out = env->GetDoubleArrayElements(scores, nullptr);
  if (out == nullptr) return ESPALIER_OK;
  int chosen = -1;
  const int code = second == nullptr ? espalier_classify(from(handle), one.data(), one.size(), out, &chosen)
                                     : espalier_classify_pair(from(handle), one.data(), one.size(), two.data(),
                                                              two.size(), out, &chosen);
  env->ReleaseDoubleArrayElements(scores, out, 0);
  const jint number = chosen;
  env->SetIntArrayRegion(label, 0, 1, &number);
  return code;
}

// NOLINTEND(readability-identifier-naming)
}  // extern "C"
