import { trans } from '../../__tests__/fakes';
import { formatAge, formatSpan } from '../format';

it.each([
  [0, '0 s'],
  [59_400, '59 s'],
  [59_600, '1 min'],
  [3 * 60_000, '3 min'],
  [59.6 * 60_000, '1 h'],
  [26 * 3_600_000, '26 h'],
  [50 * 3_600_000, '2 days'],
  [-5, '0 s']
])('a span of %d ms is %s', (milliseconds, text) => {
  expect(formatSpan(milliseconds, trans)).toBe(text);
});

it('an age begins with now', () => {
  expect(formatAge(-1000, trans)).toBe('just now');
  expect(formatAge(4_000, trans)).toBe('just now');
  expect(formatAge(5_000, trans)).toBe('5 s ago');
  expect(formatAge(180_000, trans)).toBe('3 min ago');
});
