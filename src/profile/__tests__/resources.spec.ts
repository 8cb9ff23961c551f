import { trans } from '../../__tests__/fakes';
import {
  gigabytes,
  megabytes,
  partFault,
  partOf,
  resourcesFault,
  withPart
} from '../resources';

const TEXT = 'ncpus=0.5,ncpus_limit=2,mem=1024,mem_limit=4096';

describe('resources text', () => {
  it('shows its parts and changes one, keeping the order', () => {
    const text = 'mem=1024,ncpus=0.5';
    expect(partOf(text, 'mem')).toBe('1024');
    expect(partOf(text, 'mem_limit')).toBe('');
    expect(withPart(text, 'mem', '2048')).toBe('mem=2048,ncpus=0.5');
    expect(withPart(TEXT, 'ncpus_limit', '')).toBe(
      'ncpus=0.5,mem=1024,mem_limit=4096'
    );
  });

  it('puts a new part where EDI prints it', () => {
    expect(withPart('mem=1024', 'ncpus', '1')).toBe('ncpus=1,mem=1024');
    expect(withPart('ncpus=1,mem=1024', 'ncpus_limit', '2')).toBe(
      'ncpus=1,ncpus_limit=2,mem=1024'
    );
    expect(withPart('', 'mem_limit', '1')).toBe('mem_limit=1');
  });

  it('keeps what is typed wrong, and lets no box begin another part', () => {
    const text = withPart(TEXT, 'ncpus', 'abc,mem=1');
    expect(partOf(text, 'ncpus')).toBe('abcmem1');
    expect(partOf(text, 'mem')).toBe('1024');
    expect(withPart('nonsense,ncpus=1', 'ncpus', '2')).toBe('nonsense,ncpus=2');
  });

  it.each([
    ['1024', 1024, '1 GB'],
    ['1500', 1500, '1.46 GB'],
    ['4g', 4096, '4 GB'],
    ['4G', 4096, '4 GB'],
    ['0', null, ''],
    ['1.5', null, ''],
    ['4gb', null, ''],
    ['', null, '']
  ])('reads memory %j', (text, number, echo) => {
    expect(megabytes(text)).toBe(number);
    expect(gigabytes(text)).toBe(echo);
  });

  it.each([
    [TEXT, null],
    [' ncpus = 1 , mem = 2g ', null],
    ['', /text like/],
    ['ncpus', /text like/],
    ['ncpus=', /text like/],
    ['ncpus=1=2', /text like/],
    ['ncpus=1,', /text like/],
    ['cpus=1', /cpus is not known/],
    ['ncpus=1,ncpus=2', /given twice/],
    ['ncpus=-1', /ncpus: Must be a number above 0/],
    ['ncpus=0', /ncpus: Must be a number above 0/],
    ['ncpus=1e3', /ncpus: Must be a number above 0/],
    ['mem=1.5', /mem: Must be a whole number of MB/],
    ['ncpus=2,ncpus_limit=1', /ncpus_limit: Must not be below the request/],
    ['mem=2g,mem_limit=1024', /mem_limit: Must not be below the request/]
  ])('judges %j', (text, expected) => {
    const fault = resourcesFault(text, trans);
    if (expected === null) {
      expect(fault).toBeNull();
    } else {
      expect(fault).toMatch(expected);
    }
  });

  it('finds no fault with a box that is empty', () => {
    expect(partFault('ncpus=1', 'mem', trans)).toBeNull();
  });
});
