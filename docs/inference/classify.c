/* SPDX-License-Identifier: Apache-2.0
 * classify MODEL TEXT…: the label of each text, and the probability of each class. */
#include <espalier.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  espalier_options options = ESPALIER_OPTIONS;
  options.precision = ESPALIER_AUTO;

  espalier_classifier* classifier;
  if (espalier_open(argv[1], &options, &classifier) != ESPALIER_OK) {
    fprintf(stderr, "classify: %s\n", espalier_error());
    return 1;
  }
  const size_t classes = espalier_label_count(classifier);
  double* scores = malloc(classes * sizeof *scores);
  int failed = scores == NULL;
  for (int i = 2; i < argc && !failed; ++i) {
    int label;
    failed = espalier_classify(classifier, argv[i], strlen(argv[i]), scores, &label) != ESPALIER_OK;
    if (failed) break;
    printf("%s:", label < 0 ? espalier_task(classifier) : espalier_label_name(classifier, (size_t)label));
    for (size_t c = 0; c < classes; ++c) printf(" %s %.4f", espalier_label_name(classifier, c), scores[c]);
    printf("\n");
  }
  if (failed) fprintf(stderr, "classify: %s\n", espalier_error());
  free(scores);
  espalier_close(classifier);
  return failed;
}
