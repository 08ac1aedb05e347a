// SPDX-License-Identifier: Apache-2.0
package org.espalier;

import android.app.Activity;
import android.content.res.AssetFileDescriptor;
import android.os.Bundle;
import android.view.inputmethod.EditorInfo;
import android.widget.Button;
import android.widget.EditText;
import android.widget.TextView;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** The screen: a text box, a button, the answer with its probabilities and the time that it took. */
public final class MainActivity extends Activity {
  private static final String MODEL = "model.edge";

  private final ExecutorService worker = Executors.newSingleThreadExecutor();
  private Classifier classifier; // of the worker's thread only
  private EditText text;
  private Button button;
  private TextView result;

  @Override
  protected void onCreate(Bundle state) {
    super.onCreate(state);
    setContentView(R.layout.main);
    text = findViewById(R.id.text);
    button = findViewById(R.id.classify);
    result = findViewById(R.id.result);
    button.setOnClickListener(view -> classify());
    text.setOnEditorActionListener(
        (view, action, event) -> {
          if (action != EditorInfo.IME_ACTION_GO) return false;
          classify();
          return true;
        });
    worker.execute(this::open);
  }

  @Override
  protected void onDestroy() {
    worker.execute(
        () -> {
          if (classifier != null) classifier.close();
        });
    worker.shutdown();
    super.onDestroy();
  }

  // The asset is stored uncompressed (app/build.gradle), so it is mapped where it lies in the APK.
  private void open() {
    try (AssetFileDescriptor asset = getAssets().openFd(MODEL);
        FileInputStream file = new FileInputStream(asset.getFileDescriptor())) {
      FileChannel channel = file.getChannel();
      classifier =
          new Classifier(channel.map(FileChannel.MapMode.READ_ONLY, asset.getStartOffset(), asset.getLength()));
      show(getString(R.string.ready, String.join(", ", classifier.labels()), asset.getLength() / 1e6), true);
    } catch (IOException error) {
      show(getString(R.string.no_model, MODEL), false);
    } catch (IllegalArgumentException | IllegalStateException | OutOfMemoryError error) {
      show(MODEL + ": " + error.getMessage(), false);
    }
  }

  private void classify() {
    String asked = text.getText().toString();
    if (asked.trim().isEmpty()) {
      text.setError(getString(R.string.empty));
      text.requestFocus();
      return;
    }
    if (button.isEnabled()) worker.execute(() -> answer(asked));
  }

  private void answer(String asked) {
    try {
      long start = System.nanoTime();
      Classifier.Answer answer = classifier.classify(asked);
      double milliseconds = (System.nanoTime() - start) / 1e6;
      show(describe(answer, milliseconds), true);
    } catch (IllegalArgumentException | IllegalStateException | OutOfMemoryError error) {
      show(error.getMessage(), true);
    }
  }

  private String describe(Classifier.Answer answer, double milliseconds) {
    boolean numbers = classifier.task().equals("regression");
    StringBuilder lines = new StringBuilder();
    if (answer.label != null) lines.append(answer.label).append("\n\n");
    for (int i = 0; i < answer.scores.length; ++i) {
      String name = classifier.labels().get(i);
      lines.append(numbers ? getString(R.string.number, name, answer.scores[i])
                           : getString(R.string.probability, name, 100 * answer.scores[i]));
      lines.append('\n');
    }
    return lines.append('\n').append(getString(R.string.time, milliseconds)).toString();
  }

  private void show(String words, boolean usable) {
    runOnUiThread(
        () -> {
          result.setText(words);
          button.setEnabled(usable);
        });
  }
}
