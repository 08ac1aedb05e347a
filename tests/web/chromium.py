# SPDX-License-Identifier: Apache-2.0
"""Drives a headless Chromium over a pipe: messages of the DevTools protocol, JSON with a NUL at the end of each."""
import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time


def find():
    """The path of a Chromium, or None. CHROMIUM names another one."""
    names = [os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"]
    return next((path for path in map(shutil.which, filter(None, names)) if path), None)


class Chromium:
    """One browser with one page. To be used in `with`; its profile is deleted at the end."""

    def __init__(self, program, seconds=60):
        self.seconds = seconds  # how long one answer may take
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.calls, self.rest, self.events, self.session = 0, b"", [], None
        # The browser reads fd 3 and writes fd 4. Higher numbers here, so that none lies in the way of another.
        to_read, self.write = self._pipe()
        self.read, to_write = self._pipe()

        def place():
            os.dup2(to_read, 3)
            os.dup2(to_write, 4)

        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--remote-debugging-pipe", "--hide-scrollbars", "--mute-audio",
             "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
             f"--user-data-dir={self.profile.name}", "about:blank"],
            preexec_fn=place, pass_fds=(3, 4), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        page = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log", "Accessibility", "DOM"):
            self.call(f"{domain}.enable")

    @staticmethod
    def _pipe():
        ends = os.pipe()
        higher = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 20) for end in ends]
        for end in ends:
            os.close(end)
        return higher

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.session = None
            self.call("Browser.close")
            self.process.wait(10)
        except (OSError, RuntimeError, TimeoutError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.read)
        os.close(self.write)
        self.profile.cleanup()

    def call(self, method, **parameters):
        """The result of a method; RuntimeError with the browser's words where it fails."""
        self.calls += 1
        message = {"id": self.calls, "method": method, "params": parameters}
        if self.session is not None:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.write, data):]
        end = time.monotonic() + self.seconds
        while True:
            answer = self._next(end)
            if answer is None:
                raise TimeoutError(f"{method}: no answer within {self.seconds} s")
            if answer.get("id") != self.calls:
                self.events.append(answer)
            elif "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']['message']}")
            else:
                return answer["result"]

    def _next(self, end):
        """The next message, or None where none has come at the time `end`."""
        while b"\0" not in self.rest:
            if not select.select([self.read], [], [], max(0, end - time.monotonic()))[0]:
                return None
            part = os.read(self.read, 1 << 16)
            if not part:
                raise RuntimeError("the browser has ended")
            self.rest += part
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)

    def run(self, script):
        """The value of a JavaScript expression, awaited where it is a promise."""
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            raise RuntimeError(f"{details.get('exception', {}).get('description', details['text'])}\nin: {script}")
        return result["result"].get("value")

    def wait(self, condition, seconds=30):
        """Until a JavaScript expression is true. Also while a page loads, when nothing can be asked yet."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if self.run(condition):
                    return
            except RuntimeError:
                pass
            time.sleep(0.02)
        raise TimeoutError(f"not true within {seconds} s: {condition}")

    def open(self, url):
        self.call("Page.navigate", url=url)

    def look(self, width, height=800, dark=False, still=False):
        """How the page is seen from now on: a screen of this size, in the dark, without motion."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if still else "no-preference"}])

    def press(self, key, text="", modifiers=0):
        """One key: its name as in KeyboardEvent.key; modifiers 1 Alt, 2 Ctrl, 8 Shift."""
        codes = {"Tab": 9, "Enter": 13, " ": 32}
        for kind in ("keyDown", "keyUp"):
            down = {"text": text} if kind == "keyDown" and text else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, modifiers=modifiers,
                      code={" ": "Space"}.get(key, key), windowsVirtualKeyCode=codes.get(key, 0), **down)

    def screenshot(self, path):
        """The whole page, as a PNG."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))
