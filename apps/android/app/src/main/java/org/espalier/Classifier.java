// SPDX-License-Identifier: Apache-2.0
package org.espalier;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * A model that answers: espalier.h for Java. Nothing in it is Android's, so it runs wherever libespalier_jni.so does.
 * Any number of threads may share one; one text is answered at a time.
 */
public final class Classifier implements AutoCloseable {
  /** The answer for one text. */
  public static final class Answer {
    /** The most probable label, or null where the task is not to choose one class. */
    public final String label;
    /** The probability of each label, in the order of labels(); the numbers themselves for a regression. */
    public final double[] scores;

    Answer(String label, double[] scores) {
      this.label = label;
      this.scores = scores;
    }
  }

  static {
    System.loadLibrary("espalier_jni");
  }

  private static final int MISTAKE = 2;
  private static final int OUT_OF_MEMORY = 3;

  private final ByteBuffer bytes; // so that they stay where the model reads them
  private final String task;
  private final List<String> labels;
  private long handle;

  /**
   * Opens an edge file that lies in memory, such as a file that is mapped. The bytes must not change until the
   * classifier is closed.
   *
   * @param bytes a direct buffer; all of it, whatever its position is
   * @throws IllegalArgumentException if it is no edge file, is damaged or of a newer version; the message says which
   * @throws OutOfMemoryError if there is not enough memory
   */
  public Classifier(ByteBuffer bytes) {
    if (!bytes.isDirect()) throw new IllegalArgumentException("the buffer is not direct; expected a mapped file");
    this.bytes = bytes;
    long[] opened = new long[1];
    check(open(bytes, bytes.capacity(), opened));
    handle = opened[0];
    task = text(task(handle));
    List<String> names = new ArrayList<>();
    for (long i = 0, count = labelCount(handle); i < count; ++i) names.add(text(labelName(handle, i)));
    labels = Collections.unmodifiableList(names);
  }

  /** "classification", "multi-label" or "regression". */
  public String task() {
    return task;
  }

  public List<String> labels() {
    return labels;
  }

  /** Answers a text. Half a surrogate pair is read as a question mark. */
  public Answer classify(String text) {
    return answer(text, null);
  }

  /** Answers a pair of texts. */
  public Answer classify(String first, String second) {
    return answer(first, utf8(second));
  }

  /** What is asked afterwards throws IllegalStateException. To close twice is allowed. */
  @Override
  public synchronized void close() {
    close(handle);
    handle = 0;
  }

  private synchronized Answer answer(String first, byte[] second) {
    if (handle == 0) throw new IllegalStateException("the classifier is closed");
    double[] scores = new double[labels.size()];
    int[] label = new int[1];
    check(classify(handle, utf8(first), second, scores, label));
    return new Answer(label[0] < 0 ? null : labels.get(label[0]), scores);
  }

  private static void check(int code) {
    if (code == 0) return;
    String told = text(error());
    if (code == MISTAKE) throw new IllegalArgumentException(told);
    if (code == OUT_OF_MEMORY) throw new OutOfMemoryError(told);
    throw new IllegalStateException(told);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String text(byte[] utf8) {
    return new String(utf8, StandardCharsets.UTF_8);
  }

  // classifier_jni.cpp. Text goes as UTF-8; what returns int returns a code of espalier.h.
  private static native int open(ByteBuffer bytes, long size, long[] handle);

  private static native void close(long handle);

  private static native byte[] error();

  private static native byte[] task(long handle);

  private static native long labelCount(long handle);

  private static native byte[] labelName(long handle, long index);

  private static native int classify(long handle, byte[] first, byte[] second, double[] scores, int[] label);
}
