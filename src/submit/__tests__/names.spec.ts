import { isValidName, nextFreeName, suggestName } from '../names';

describe('isValidName', () => {
  it.each(['a', '7', 'digits', 'a-b', 'x'.repeat(63)])('takes %s', name => {
    expect(isValidName(name)).toBe(true);
  });

  it.each([
    '',
    '-a',
    'a-',
    'A',
    'a_b',
    'a b',
    'é',
    'a\n',
    '../a',
    'x'.repeat(64)
  ])('refuses %j', name => {
    expect(isValidName(name)).toBe(false);
  });
});

describe('suggestName', () => {
  it.each([
    ['My Digits!', 'my-digits'],
    ['Überraschung', 'uberraschung'],
    ['--a__b--', 'a-b'],
    ['V2 (final).tar', 'v2-final-tar'],
    [`${'x'.repeat(62)}-y`, 'x'.repeat(62)]
  ])('makes of %j %j', (text, name) => {
    expect(suggestName(text)).toBe(name);
    expect(isValidName(name)).toBe(true);
  });

  it.each(['', '---', '数字'])('has nothing for %j', text => {
    expect(suggestName(text)).toBeNull();
  });
});

describe('nextFreeName', () => {
  it('counts up to a name that is free and short enough', () => {
    expect(nextFreeName('a', name => name === 'a-2')).toBe('a-3');
    const long = nextFreeName('x'.repeat(63), () => false);
    expect(long).toBe(`${'x'.repeat(61)}-2`);
    expect(isValidName(long)).toBe(true);
  });
});
