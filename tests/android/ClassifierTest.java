// SPDX-License-Identifier: Apache-2.0
package org.espalier;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Tests Classifier with the native library, outside of Android: java -Djava.library.path=DIR org.espalier.ClassifierTest
 * MODEL.edge ROWS.tsv LOGITS.tsv, the rows with a column sentence, the logits those of `evaluate --logits`.
 */
final class ClassifierTest {
  private static void expect(boolean condition, String text) {
    if (!condition) throw new AssertionError(text);
  }

  private static ByteBuffer map(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
    }
  }

  private static ByteBuffer direct(byte[] bytes) {
    return ByteBuffer.allocateDirect(bytes.length).put(bytes);
  }

  private static void refuses(ByteBuffer bytes, String words) {
    try {
      new Classifier(bytes).close();
      throw new AssertionError("opened, expected an error with: " + words);
    } catch (IllegalArgumentException error) {
      System.out.println("   " + error.getMessage());
      expect(error.getMessage().contains(words), error.getMessage() + ", expected in it: " + words);
    }
  }

  private static void refusesBadFiles(byte[] good) {
    refuses(ByteBuffer.allocateDirect(0), "");
    refuses(direct(new byte[5000]), "");
    refuses(direct(Arrays.copyOf(good, good.length / 2)), "");
    byte[] flipped = good.clone();
    flipped[good.length / 2] ^= 4;
    refuses(direct(flipped), "");
    refuses(ByteBuffer.wrap(good), "not direct");
  }

  private static void bearsAnyText(Classifier classifier) {
    for (String text : List.of("", "word ".repeat(10000), "🎬 wonderful 👍🏽", "half \ud83d here", "\u0000\u0007", "中文"))
      expect(Double.isFinite(classifier.classify(text).scores[0]), "no number for " + text);
    expect(Double.isFinite(classifier.classify("one text", "another").scores[0]), "no number for a pair");
  }

  private static void refusesWhenClosed(Path model) throws IOException {
    Classifier classifier = new Classifier(map(model));
    classifier.close();
    classifier.close();
    try {
      classifier.classify("text");
      throw new AssertionError("answers although it is closed");
    } catch (IllegalStateException error) {
      expect(error.getMessage().contains("closed"), error.getMessage());
    }
  }

  private static int most(double[] numbers) {
    int best = 0;
    for (int i = 1; i < numbers.length; ++i) if (numbers[i] > numbers[best]) best = i;
    return best;
  }

  private static void answersAsEvaluate(Classifier classifier, Path rows, Path logits) throws IOException {
    List<String> lines = Files.readAllLines(rows);
    int column = Arrays.asList(lines.get(0).split("\t")).indexOf("sentence");
    List<double[]> expected = new ArrayList<>();
    for (String line : Files.readAllLines(logits))
      expected.add(Arrays.stream(line.split("\t")).mapToDouble(Double::parseDouble).toArray());
    expect(expected.size() == lines.size() - 1, lines.size() - 1 + " rows, " + expected.size() + " logits");
    long start = System.nanoTime();
    for (int i = 0; i < expected.size(); ++i) {
      String text = lines.get(i + 1).split("\t")[column];
      String label = classifier.labels().get(most(expected.get(i)));
      String answer = classifier.classify(text).label;
      expect(label.equals(answer), "row " + (i + 1) + ": " + answer + ", evaluate says " + label);
    }
    System.out.printf(
        "   %d rows as evaluate, %.2f ms each%n", expected.size(), (System.nanoTime() - start) / 1e6 / expected.size());
  }

  public static void main(String[] arguments) throws IOException {
    Path model = Path.of(arguments[0]);
    refusesBadFiles(Files.readAllBytes(model));
    refusesWhenClosed(model);
    try (Classifier classifier = new Classifier(map(model))) {
      expect(classifier.task().equals("classification"), classifier.task());
      expect(classifier.labels().size() >= 2, "labels: " + classifier.labels());
      bearsAnyText(classifier);
      answersAsEvaluate(classifier, Path.of(arguments[1]), Path.of(arguments[2]));
    }
    System.out.println("ok");
  }
}
