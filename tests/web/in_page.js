// SPDX-License-Identifier: Apache-2.0
// What the test runs in the page: `checks`, put there before each part of it.
globalThis.checks = {
  // Answers the texts one after the other through the form: [label, scores, milliseconds] of each.
  async answer(texts) {
    const answers = [];
    for (const text of texts) {
      const answered = new Promise((resolve) => document.addEventListener('answered', resolve, { once: true }));
      document.getElementById('text').value = text;
      document.getElementById('form').requestSubmit();
      const { detail } = await answered;
      answers.push([detail.label, detail.scores, detail.milliseconds]);
    }
    return answers;
  },

  // Text whose colour stands out too little from its ground: below 4.5, WCAG's AA.
  faint() {
    const numbers = (color) => color.match(/[\d.]+/g).map(Number);
    const light = (color) => {
      const linear = (c) => (c / 255 <= 0.04045 ? c / 3294.6 : ((c / 255 + 0.055) / 1.055) ** 2.4);
      const [r, g, b] = numbers(color).map(linear);
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (element) => {
      for (let e = element; e !== null; e = e.parentElement) {
        const color = getComputedStyle(e).backgroundColor;
        if (numbers(color)[3] !== 0) return color;
      }
      return getComputedStyle(document.documentElement).colorScheme === 'dark' ? 'rgb(0,0,0)' : 'rgb(255,255,255)';
    };
    const found = [];
    for (const element of document.querySelectorAll('body *')) {
      const says = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== '');
      if (!says || element.closest('noscript') || element.disabled || element.checkVisibility() === false) continue;
      const [low, high] = [light(getComputedStyle(element).color), light(ground(element))].sort((a, b) => a - b);
      const contrast = (high + 0.05) / (low + 0.05);
      if (contrast < 4.5) found.push(`${element.textContent.trim().slice(0, 30)}: ${contrast.toFixed(2)}`);
    }
    return found;
  },

  // What has the focus, and whether that can be seen: outside of the element, inside of the screen.
  focus() {
    const element = document.activeElement;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    const seen = outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 && box.right > 0 && box.left < innerWidth &&
      box.bottom > 0 && box.top < innerHeight;
    return { name: element.id || element.textContent.trim().slice(0, 30), tag: element.tagName, seen };
  },
};
