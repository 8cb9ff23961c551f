import { prettyJson } from '../prettyJson';

describe('prettyJson', () => {
  it('keeps what fits on one line', () => {
    expect(prettyJson('{"a":1,"b":[true,null]}')).toBe(
      '{"a": 1, "b": [true, null]}'
    );
    expect(prettyJson(' "x" ')).toBe('"x"');
    expect(prettyJson('[]')).toBe('[]');
  });

  it('breaks what does not, and fills rows of numbers', () => {
    const numbers = Array.from({ length: 20 }, (_, index) => index);
    expect(prettyJson(JSON.stringify({ class: 3, p: numbers }))).toBe(
      [
        '{',
        '  "class": 3,',
        '  "p": [',
        '    0, 1, 2, 3, 4, 5, 6, 7, 8,',
        '    9, 10, 11, 12, 13, 14, 15,',
        '    16, 17, 18, 19',
        '  ]',
        '}'
      ].join('\n')
    );
  });

  it('shows numbers as they were sent', () => {
    expect(prettyJson('[1.0, 12345678901234567890, 1e400]')).toBe(
      '[\n  1.0, 12345678901234567890,\n  1e400\n]'
    );
  });

  it('leaves brackets and quotes inside of text alone', () => {
    const text = '{"a": "} ] , : \\" \\\\"}';
    expect(prettyJson(text)).toBe(text);
  });

  it('still means the same', () => {
    const value = {
      list: [{ a: [1, [2, [3]]] }, 'x'.repeat(80), { '': {} }],
      'ü "q"': [[], {}, null, false]
    };
    expect(JSON.parse(prettyJson(JSON.stringify(value)) ?? '')).toEqual(value);
  });

  it.each(['', '{', '{"a": 1,}', 'hello', '<p>'])('refuses %j', text => {
    expect(prettyJson(text)).toBeNull();
  });

  it('gives up on what is nested too deeply', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    expect(prettyJson(deep)).toBeNull();
  });
});
