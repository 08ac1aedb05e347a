/* SPDX-License-Identifier: Apache-2.0
 * Espalier for programs in C, and in all languages that call C: text in; label and probabilities out. One classifier is
 * shared by any number of threads. Link with -lespalier. docs/SERVING.md has an example.
 *
 * Functions that can fail return ESPALIER_OK or what went wrong; espalier_error() says it in words. No exception leaves
 * a function. Null pointers are refused unless they are allowed here. */
#ifndef ESPALIER_H
#define ESPALIER_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define ESPALIER_API __attribute__((visibility("default")))
#else
#define ESPALIER_API
#endif

#ifdef __cplusplus
extern "C" {
#endif
/* NOLINTBEGIN(modernize-use-using,readability-identifier-naming): this is C */

/* What functions return. Later versions may add some. */
#define ESPALIER_OK 0
#define ESPALIER_FAILURE 1       /* nothing was asked wrongly, but the system failed */
#define ESPALIER_MISTAKE 2       /* the caller's: a wrong argument, a file that is no model */
#define ESPALIER_OUT_OF_MEMORY 3 /* of this call only: the classifier may be asked again */

/* What the encoder's products compute in. */
#define ESPALIER_AUTO 0 /* bf16 where the CPU has it, else f32 */
#define ESPALIER_F32 1
#define ESPALIER_BF16 2

typedef struct espalier_classifier espalier_classifier;

/* Begin with espalier_options options = ESPALIER_OPTIONS: later versions may add members at the end. */
typedef struct espalier_options {
  size_t size;    /* sizeof(espalier_options), by which the library knows the version of the caller */
  int precision;  /* ESPALIER_AUTO, ESPALIER_F32 or ESPALIER_BF16 */
  int max_length; /* tokens of a text or pair, with [CLS] and [SEP]: 3 or more, longer ones are cut. 0: 128, or all
                     positions of the model where these are fewer */
  void (*warn)(void* context, const char* line); /* of what may be a mistake in the model's files. NULL: not told */
  void* context;                                 /* for warn */
} espalier_options;

#define ESPALIER_OPTIONS \
  { sizeof(espalier_options), ESPALIER_F32, 0, NULL, NULL }

/* Bytes of UTF-8 that need no NUL at their end. Bytes that are not UTF-8 are left out, as NULs are. With a second text
 * it is a pair; else that is NULL. The first may be NULL where its length is 0. */
typedef struct espalier_text {
  const char* first;
  size_t first_length;
  const char* second;
  size_t second_length;
} espalier_text;

/* "0.1.0". */
ESPALIER_API const char* espalier_version(void);

/* What the last function that failed in this thread says, in one line of UTF-8; "" if none has. Valid until the next
 * one fails in this thread. */
ESPALIER_API const char* espalier_error(void);

/* Threads that all classifiers share, at most 64 or four for each core; 0: as many as the process may use, which is how
 * it begins. The runtime for edge files has 1 and takes no other number. To be called while no other function runs.
 * Answers do not depend on it. */
ESPALIER_API int espalier_set_threads(int threads);

/* Opens a checkpoint FILE.h5, a Hugging Face directory or an edge file; the runtime for phones and browsers
 * (libespalier-edge.a) opens edge files only. options may be NULL: ESPALIER_OPTIONS. On success *classifier is to be
 * closed with espalier_close, else it is NULL. Several threads may open at once. An edge file is mapped: it may be
 * renamed or removed, but not cut or written to, until then. Other files are not needed afterwards. */
ESPALIER_API int espalier_open(const char* path, const espalier_options* options, espalier_classifier** classifier);

/* Opens an edge file that is in memory. The bytes stay the caller's and must not change until the classifier is closed;
 * where they do not lie at a multiple of 64 they are copied. */
ESPALIER_API int espalier_open_memory(const void* bytes, size_t size, const espalier_options* options,
                                      espalier_classifier** classifier);

/* While nobody uses it any more. NULL is allowed. */
ESPALIER_API void espalier_close(espalier_classifier* classifier);

/* "classification" (one class of several), "multi-label" (any number of classes) or "regression" (numbers). */
ESPALIER_API const char* espalier_task(const espalier_classifier* classifier);

/* How many classes, or numbers of a regression, there are; 0 for NULL. */
ESPALIER_API size_t espalier_label_count(const espalier_classifier* classifier);

/* The name of one, valid until the classifier is closed; NULL where there is no such index. */
ESPALIER_API const char* espalier_label_name(const espalier_classifier* classifier, size_t index);

/* How many tokens of a text or pair count, with [CLS] and [SEP]; 0 for NULL. */
ESPALIER_API int espalier_max_length(const espalier_classifier* classifier);

/* The tokens of a text with [CLS] and [SEP], all of them, also those that are cut before it is answered: *count says
 * how many, and ids has the first `capacity` of them. ids may be NULL where that is 0. */
ESPALIER_API int espalier_tokens(const espalier_classifier* classifier, const char* text, size_t length, int32_t* ids,
                                 size_t capacity, size_t* count);

/* The text of a token, such as "film" or "##s", valid until the classifier is closed; NULL where there is no such id.
 */
ESPALIER_API const char* espalier_token_text(const espalier_classifier* classifier, int32_t id);

/* Answers a text. scores: espalier_label_count() numbers, the probability of each class, or the numbers of a
 * regression. label: the index of the most probable class; -1 for other tasks. Each may be NULL. */
ESPALIER_API int espalier_classify(const espalier_classifier* classifier, const char* text, size_t length,
                                   double* scores, int* label);

/* Answers a pair of texts. */
ESPALIER_API int espalier_classify_pair(const espalier_classifier* classifier, const char* first, size_t first_length,
                                        const char* second, size_t second_length, double* scores, int* label);

/* Answers many at full speed, with the same bits. scores: count rows of espalier_label_count() numbers; labels: count
 * indices. Each may be NULL. Where it fails, nothing is written to them. */
ESPALIER_API int espalier_classify_batch(const espalier_classifier* classifier, const espalier_text* texts,
                                         size_t count, double* scores, int* labels);

/* NOLINTEND(modernize-use-using,readability-identifier-naming) */
#ifdef __cplusplus
}
#endif

#endif
