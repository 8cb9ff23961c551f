import { plainText } from '../plainText';

describe('plainText', () => {
  it.each([
    ['colours', '\u001b[1;31mred\u001b[0m', 'red'],
    ['cursor moves', 'a\u001b[2K\u001b[1Gb', 'ab'],
    ['a window title', '\u001b]0;owned\u0007text', 'text'],
    ['a link', '\u001b]8;;http://evil\u001b\\click\u001b]8;;\u001b\\', 'click'],
    ['one-byte controls', '\u009b31mred', 'red'],
    ['a lone escape at the end', 'a\u001b', 'a'],
    ['bell and null', 'a\u0007\u0000b', 'ab'],
    ['text that runs backwards', 'exe.\u202egpj', 'exe.gpj']
  ])('drops %s', (_, text, expected) => {
    expect(plainText(text)).toBe(expected);
  });

  it('keeps lines, tabs and all writing systems', () => {
    expect(plainText('a\r\nb\rc\td – 数字 🙂')).toBe('a\nb\nc\td – 数字 🙂');
  });

  it('is quick with hostile text', () => {
    const start = performance.now();
    plainText('\u001b]'.repeat(50_000) + '\u001b['.repeat(50_000));
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
