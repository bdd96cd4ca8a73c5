/** What every place for objects does alike. Runs under vitest, or under anything with the same three functions. */
import type { ConditionalWrites, ObjectBody, ObjectEntry, ObjectStore } from '../base/object-store.ts';

/** The test functions that are used; those of vitest fit. */
export interface TestFunctions {
  describe(name: string, body: () => void): unknown;
  test(name: string, body: () => void | Promise<void>): unknown;
  expect(value: unknown): { toBe(expected: unknown): unknown; toEqual(expected: unknown): unknown };
}

/** An empty place. */
export interface ConformanceSubject {
  readonly store: ObjectStore;
  /** Opens the same place once more, as another process would. */
  readonly again: () => ObjectStore | Promise<ObjectStore>;
  /** Removes what the test left. */
  readonly cleanUp?: () => void | Promise<void>;
}

/** What a place may leave out. */
export interface ConformanceOptions {
  /** Which conditions it enforces; it refuses the others. Default both. */
  readonly conditions?: ConditionalWrites;
  /** It takes the keys `a` and `a/b` beside each other. Default false. */
  readonly keysInKeys?: boolean;
  /** Bytes of objects in parts. Default 9 MiB. */
  readonly large?: number;
  /** Objects in the longest list; more than one page where the place has pages. Default 1100. */
  readonly listed?: number;
  /** Tests that are left out, by their titles: known defects of a server that is used for tests. Default none. */
  readonly leaveOut?: RegExp;
}

const BOTH: ConditionalWrites = { ifAbsent: true, ifUnchanged: true };

/** Keys that are valid, and that somebody may stumble over. */
const ODD_KEYS = [
  ' leading and trailing ',
  '.hidden/..dots../...',
  '100%25 sure?#&=+;,@$!*\'()"<>|~^`{}[]',
  'a:b',
  'Umlaute äöü',
  'e\u0301 and \u00e9',
  '中文/日本/한국',
  '😀/\u{1f9ea}',
  'CON',
  '-rf',
  'deep/'.repeat(20) + 'end',
  `${'x'.repeat(255)}/${'ü'.repeat(127)}`,
];

const INVALID_KEYS = [
  '',
  '/',
  '/a',
  'a/',
  'a//b',
  '.',
  '..',
  '../a',
  'a/../b',
  'a/./b',
  'a/..',
  'a\\b',
  'a\0b',
  'a\nb',
  'a\u007fb',
  'a\u0085b',
  'a\uffffb',
  '\ud800',
  '.sombra',
  '.sombra/lock',
  'x'.repeat(256),
  'ü'.repeat(128),
  'x/'.repeat(400) + 'x',
];

/** Code of what a promise rejects with. */
async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    const { code } = error as { code?: unknown };
    return typeof code === 'string' ? code : String(error);
  }
  return 'no error';
}

/** All bytes of an object. */
async function contentOf(store: ObjectStore, key: string, offset?: number, length?: number): Promise<Uint8Array> {
  const object = await store.get(key, offset === undefined ? {} : { range: { offset, length } });
  return join(object.body);
}

async function join(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const found: Uint8Array[] = [];
  for await (const piece of body) found.push(piece.slice());
  const whole = new Uint8Array(found.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of found) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

async function allOf(entries: AsyncIterable<ObjectEntry>): Promise<ObjectEntry[]> {
  const found: ObjectEntry[] = [];
  for await (const entry of entries) found.push(entry);
  return found;
}

async function keysOf(store: ObjectStore, prefix?: string): Promise<string[]> {
  return (await allOf(store.list(prefix))).map(({ key }) => key);
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** Bytes without a pattern, other ones for each seed. */
function noise(seed: number, length: number): Uint8Array {
  let state = seed;
  return new Uint8Array(length).map(() => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state;
  });
}

/** Pieces of changing sizes, as a program would send them. */
async function* streamOf(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length]!;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

/** Equal? Comparing megabytes element by element takes test runners minutes. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/**
 * Registers the tests.
 * @param name  of the place
 * @param make  called once for each test
 */
export function objectStoreConformance(
  name: string,
  make: () => ConformanceSubject | Promise<ConformanceSubject>,
  { describe, test, expect }: TestFunctions,
  { conditions = BOTH, keysInKeys = false, large = 9 << 20, listed = 1100, leaveOut }: ConformanceOptions = {},
): void {
  const check = (title: string, body: (store: ObjectStore, subject: ConformanceSubject) => Promise<void>): void => {
    if (leaveOut !== undefined && leaveOut.test(title)) return;
    test(title, async () => {
      const subject = await make();
      try {
        await body(subject.store, subject);
      } finally {
        subject.store.close();
        await subject.cleanUp?.();
      }
    });
  };

  describe(`${name}: objects`, () => {
    check('what was put is there, also for others', async (store, { again }) => {
      const before = store.location;
      const { etag, size } = await store.put('a/b.txt', bytesOf('hello'));
      expect(size).toBe(5);
      const other = await again();
      expect(other.location).toBe(before);
      expect(textOf(await contentOf(other, 'a/b.txt'))).toBe('hello');
      const object = await other.get('a/b.txt');
      const { body, close, ...info } = object;
      expect(await other.head('a/b.txt')).toEqual(info);
      expect([info.key, info.size, info.etag]).toEqual(['a/b.txt', 5, etag]);
      expect(info.modifiedMs > 0).toBe(true);
      expect(textOf(await join(body))).toBe('hello');
      close();
      other.close();
    });

    check('a put replaces, and the etag changes with the content', async (store) => {
      const first = await store.put('a', bytesOf('one'));
      const second = await store.put('a', bytesOf('two'));
      expect(first.etag === second.etag).toBe(false);
      expect((await store.head('a'))!.etag).toBe(second.etag);
      expect(textOf(await contentOf(store, 'a'))).toBe('two');
      expect(await keysOf(store)).toEqual(['a']);
    });

    check('an empty object is one', async (store) => {
      for (const body of [new Uint8Array(0), streamOf(new Uint8Array(0), [1])]) {
        expect((await store.put('empty', body)).size).toBe(0);
        expect((await contentOf(store, 'empty')).length).toBe(0);
        expect((await contentOf(store, 'empty', 0, 5)).length).toBe(0);
        expect((await store.head('empty'))!.size).toBe(0);
      }
      expect((await allOf(store.list())).map(({ key, size }) => [key, size])).toEqual([['empty', 0]]);
    });

    check('what is not there', async (store) => {
      await store.put('there', bytesOf('x'));
      expect(await codeOf(store.get('none'))).toBe('SOMBRA_OBJECT_MISSING');
      expect(await codeOf(store.get('no/such/one', { range: { offset: 3 } }))).toBe('SOMBRA_OBJECT_MISSING');
      expect(await codeOf(store.get('none', { range: { offset: 0, length: 0 } }))).toBe('SOMBRA_OBJECT_MISSING');
      expect(await store.head('none')).toBe(undefined);
      expect(await store.head('no/such/one')).toBe(undefined);
      expect(await keysOf(store, 'n')).toEqual([]);
      await store.delete('none');
      await store.delete('no/such/one');
      expect(await keysOf(store)).toEqual(['there']);
    });

    check('deleting, twice', async (store) => {
      await store.put('a/b', bytesOf('x'));
      await store.put('a/c', bytesOf('y'));
      await store.delete('a/b');
      await store.delete('a/b');
      expect(await store.head('a/b')).toBe(undefined);
      expect(await keysOf(store)).toEqual(['a/c']);
      await store.put('a/b', bytesOf('z'));
      expect(textOf(await contentOf(store, 'a/b'))).toBe('z');
    });

    check('ranges', async (store) => {
      await store.put('a', bytesOf('0123456789'));
      for (const [offset, length, expected] of [
        [0, undefined, '0123456789'],
        [3, undefined, '3456789'],
        [3, 4, '3456'],
        [0, 1, '0'],
        [9, 1, '9'],
        [8, 100, '89'],
        [10, undefined, ''],
        [10, 1, ''],
        [1000, 5, ''],
        [4, 0, ''],
        [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, ''],
      ] as const) {
        expect([offset, length, textOf(await contentOf(store, 'a', offset, length))]).toEqual([
          offset,
          length,
          expected,
        ]);
      }
      const part = await store.get('a', { range: { offset: 2, length: 3 } });
      expect([part.size, part.etag]).toEqual([10, (await store.head('a'))!.etag]);
      part.close();
      for (const range of [{ offset: -1 }, { offset: 0.5 }, { offset: 0, length: -1 }, { offset: 0, length: NaN }])
        expect(await codeOf(store.get('a', { range }))).toBe('SOMBRA_OPTION');
    });

    check('odd keys', async (store) => {
      for (const key of ODD_KEYS) {
        await store.put(key, bytesOf(`content ${ODD_KEYS.indexOf(key)}`));
        expect([key, textOf(await contentOf(store, key))]).toEqual([key, `content ${ODD_KEYS.indexOf(key)}`]);
      }
      expect((await keysOf(store)).sort()).toEqual([...ODD_KEYS].sort());
      for (const key of ODD_KEYS) {
        expect(await keysOf(store, key)).toEqual([key]);
        await store.delete(key);
      }
      expect(await keysOf(store)).toEqual([]);
    });

    check('what cannot be a key', async (store) => {
      for (const key of [...INVALID_KEYS, undefined as unknown as string, 7 as unknown as string]) {
        const codes = [
          await codeOf(store.put(key, bytesOf('x'))),
          await codeOf(store.get(key)),
          await codeOf(store.head(key)),
          await codeOf(store.delete(key)),
        ];
        expect([key, ...new Set(codes)]).toEqual([key, 'SOMBRA_OBJECT_KEY']);
      }
      for (const prefix of ['/', '../', 'a//', 'a\nb', '.sombra/'])
        expect(await codeOf(keysOf(store, prefix))).toBe('SOMBRA_OBJECT_KEY');
    });

    check('misspelt options and other bodies are refused', async (store) => {
      const wrong = { ifabsent: true } as object;
      expect(await codeOf(store.put('a', bytesOf('x'), wrong))).toBe('SOMBRA_OPTION');
      expect(await codeOf(store.get('a', wrong))).toBe('SOMBRA_OPTION');
      expect(await codeOf(store.head('a', wrong))).toBe('SOMBRA_OPTION');
      expect(await codeOf(store.delete('a', wrong))).toBe('SOMBRA_OPTION');
      expect(await codeOf(keysOf({ list: () => store.list('', wrong) } as unknown as ObjectStore))).toBe(
        'SOMBRA_OPTION',
      );
      expect(await codeOf(store.put('a', 'text' as unknown as ObjectBody))).toBe('SOMBRA_OPTION');
      expect(await codeOf(store.put('a', null as unknown as ObjectBody))).toBe('SOMBRA_OPTION');
      async function* texts(): AsyncGenerator<unknown, void, undefined> {
        yield 'text';
      }
      expect(await codeOf(store.put('a', texts() as AsyncIterable<Uint8Array>))).toBe('SOMBRA_OPTION');
      const both = { ifAbsent: true, ifUnchanged: 'x' } as const;
      expect(await codeOf(store.put('a', bytesOf('x'), both))).toBe('SOMBRA_OPTION');
      expect(await codeOf(store.put('a', bytesOf('x'), { ifUnchanged: '' }))).toBe('SOMBRA_OPTION');
      expect(await store.head('a').catch(() => undefined)).toBe(undefined);
    });

    if (keysInKeys) {
      check('a key may be the folder of another', async (store) => {
        await store.put('a', bytesOf('1'));
        await store.put('a/b', bytesOf('2'));
        expect((await keysOf(store)).sort()).toEqual(['a', 'a/b']);
      });
    } else {
      check('a key cannot be the folder of another', async (store) => {
        await store.put('a', bytesOf('1'));
        expect(await codeOf(store.put('a/b', bytesOf('2')))).toBe('SOMBRA_OBJECT_KEY');
        expect(await codeOf(store.get('a/b'))).toBe('SOMBRA_OBJECT_MISSING');
        await store.put('c/d', bytesOf('3'));
        expect(await codeOf(store.put('c', bytesOf('4')))).toBe('SOMBRA_OBJECT_KEY');
        expect(await codeOf(store.put('c', bytesOf('4'), { ifAbsent: true }))).toBe('SOMBRA_OBJECT_KEY');
        expect(await keysOf(store)).toEqual(['a', 'c/d']);
      });
    }
  });

  describe(`${name}: lists`, () => {
    check('sorted by the bytes of the keys, by any prefix', async (store) => {
      const keys = [
        'a-b',
        'a.b/x',
        'a/b',
        'a/b-c',
        'a/c/d',
        'a0',
        'b',
        'b\uffe6',
        'b\u{1f600}',
        'B',
        'ab/1',
        'ab/10',
        'ab/2',
      ];
      for (const key of keys) await store.put(key, bytesOf(key.slice(0, 1)));
      const sorted = [
        'B',
        'a-b',
        'a.b/x',
        'a/b',
        'a/b-c',
        'a/c/d',
        'a0',
        'ab/1',
        'ab/10',
        'ab/2',
        'b',
        'b\uffe6',
        'b\u{1f600}',
      ];
      expect(await keysOf(store)).toEqual(sorted);
      for (const prefix of ['a', 'a/', 'a/b', 'a/c', 'a/c/', 'ab/1', 'a/c/d', 'a/c/d/e', 'z', 'a/x/'])
        expect([prefix, ...(await keysOf(store, prefix))]).toEqual([
          prefix,
          ...sorted.filter((key) => key.startsWith(prefix)),
        ]);
    });

    check('long ones', async (store) => {
      const keys = Array.from({ length: listed }, (_, index) => `n/${String(index).padStart(5, '0')}`);
      for (let at = 0; at < keys.length; at += 20)
        await Promise.all(keys.slice(at, at + 20).map((key) => store.put(key, new Uint8Array(0))));
      expect(await keysOf(store, 'n/')).toEqual(keys);
      expect(await keysOf(store, 'n/0000')).toEqual(keys.slice(0, 10));
    });

    check('a list that is left early ends', async (store) => {
      for (const key of ['a', 'b', 'c']) await store.put(key, bytesOf(key));
      const seen: string[] = [];
      for await (const { key } of store.list()) {
        seen.push(key);
        if (key === 'b') break;
      }
      expect(seen).toEqual(['a', 'b']);
    });
  });

  describe(`${name}: large objects`, () => {
    const bytes = noise(7, large);

    check('at once, and in pieces of all sizes', async (store) => {
      for (const body of [bytes, streamOf(bytes, [large]), streamOf(bytes, [1, 70_000, 0, 3_000_001])]) {
        const { size, etag } = await store.put('large', body);
        expect(size).toBe(bytes.length);
        const object = await store.get('large');
        expect([object.size, object.etag]).toEqual([size, etag]);
        expect(isSame(await join(object.body), bytes)).toBe(true);
        await store.delete('large');
      }
    });

    check('whose source uses its memory again', async (store) => {
      async function* source(): AsyncGenerator<Uint8Array, void, undefined> {
        const memory = new Uint8Array(100_000);
        for (let at = 0; at < large; at += memory.length) {
          const piece = memory.subarray(0, Math.min(memory.length, large - at));
          piece.set(bytes.subarray(at, at + piece.length));
          yield piece;
          piece.fill(0);
        }
      }
      await store.put('large', source());
      expect(isSame(await contentOf(store, 'large'), bytes)).toBe(true);
    });

    check('in pieces of at most 1 MiB, and parts of it', async (store) => {
      await store.put('large', bytes);
      const { body } = await store.get('large');
      let most = 0;
      for await (const piece of body) most = Math.max(most, piece.length);
      expect(most <= 1 << 20).toBe(true);
      for (const [offset, length] of [
        [1_048_575, 3],
        [5 << 20, 2 << 20],
        [large - 5, 100],
      ] as const)
        expect(isSame(await contentOf(store, 'large', offset, length), bytes.slice(offset, offset + length))).toBe(
          true,
        );
    });

    check('who reads the old object reads it to its end, or is told', async (store) => {
      await store.put('large', bytes);
      const old = await store.get('large');
      const other = bytes.map((byte) => byte ^ 255);
      await store.put('large', other);
      const read = await join(old.body).then(
        (found) => (isSame(found, bytes) ? 'old' : 'mixed'),
        (error: { code?: string }) => error.code,
      );
      expect(read === 'old' || read === 'SOMBRA_OBJECT_CHANGED').toBe(true);
      expect(isSame(await contentOf(store, 'large'), other)).toBe(true);
    });

    check('what was not read can be given up', async (store) => {
      await store.put('large', bytes);
      const unread = await store.get('large');
      unread.close();
      unread.close();
      const begun = await store.get('large');
      for await (const piece of begun.body) {
        expect(piece.length > 0).toBe(true);
        break;
      }
      begun.close();
      expect((await store.head('large'))!.size).toBe(bytes.length);
    });

    check('a body that throws leaves the old object', async (store) => {
      for (const after of [0, 1, large - 1]) {
        async function* broken(): AsyncGenerator<Uint8Array, void, undefined> {
          yield bytes.subarray(0, after);
          throw Object.assign(new Error('the source broke'), { code: 'BROKEN' });
        }
        expect(await codeOf(store.put('large', broken()))).toBe('BROKEN');
        expect(await store.head('large')).toBe(undefined);
        await store.put('old', bytesOf('old'));
        expect(await codeOf(store.put('old', broken()))).toBe('BROKEN');
        expect(textOf(await contentOf(store, 'old'))).toBe('old');
        expect(await keysOf(store)).toEqual(['old']);
        await store.delete('old');
      }
    });
  });

  describe(`${name}: aborting`, () => {
    check('before', async (store) => {
      await store.put('a', bytesOf('old'));
      const signal = AbortSignal.abort('enough');
      const calls = [
        () => store.put('a', bytesOf('new'), { signal }),
        () => store.get('a', { signal }),
        () => store.head('a', { signal }),
        () => store.delete('a', { signal }),
        () => allOf(store.list('', { signal })),
        () => store.sweep({ signal }),
        () => store.conditionalWrites({ signal }),
      ];
      for (const call of calls) expect(await codeOf(call())).toBe('SOMBRA_ABORTED');
      expect(textOf(await contentOf(store, 'a'))).toBe('old');
    });

    check('in the middle of a put, also while its source is waited for', async (store) => {
      const bytes = noise(8, large);
      await store.put('a', bytesOf('old'));
      for (const hangs of [false, true]) {
        const control = new AbortController();
        let tell = (): void => undefined;
        const told = new Promise<void>((resolve) => (tell = resolve));
        async function* source(): AsyncGenerator<Uint8Array, void, undefined> {
          try {
            yield bytes.subarray(0, large - 1);
            control.abort(new Error('enough'));
            if (hangs) await new Promise(() => undefined);
            for (;;) yield bytes.subarray(0, 1000);
          } finally {
            tell();
          }
        }
        const error = await store.put('a', source(), { signal: control.signal }).catch((each: unknown) => each);
        const { code, cause } = error as { code?: string; cause?: Error };
        expect([code, cause?.message]).toEqual(['SOMBRA_ABORTED', 'enough']);
        // A source that hangs hears of it only when it goes on.
        if (!hangs) await told;
        expect(textOf(await contentOf(store, 'a'))).toBe('old');
        expect(await keysOf(store)).toEqual(['a']);
      }
    });

    check('in the middle of reading', async (store) => {
      await store.put('a', noise(9, large));
      const control = new AbortController();
      const { body } = await store.get('a', { signal: control.signal });
      let read = 0;
      const reading = (async () => {
        for await (const piece of body) {
          read += piece.length;
          control.abort();
        }
      })();
      expect(await codeOf(reading)).toBe('SOMBRA_ABORTED');
      expect(read > 0 && read < large).toBe(true);
    });

    check('in the middle of a list', async (store) => {
      for (const key of ['a', 'b', 'c']) await store.put(key, bytesOf(key));
      const control = new AbortController();
      const seen: string[] = [];
      const listing = (async () => {
        for await (const { key } of store.list('', { signal: control.signal })) {
          seen.push(key);
          control.abort();
        }
      })();
      expect(await codeOf(listing)).toBe('SOMBRA_ABORTED');
      expect(seen).toEqual(['a']);
    });
  });

  describe(`${name}: conditions`, () => {
    check('it is known which are enforced, and the others are refused', async (store) => {
      expect(await store.conditionalWrites()).toEqual(conditions);
      const codes = [
        await codeOf(store.put('a', bytesOf('x'), { ifAbsent: true })),
        await codeOf(store.put('a', bytesOf('x'), { ifUnchanged: 'other' })),
      ];
      expect(codes).toEqual([
        conditions.ifAbsent ? 'no error' : 'SOMBRA_CONDITION_UNENFORCED',
        conditions.ifUnchanged ? 'SOMBRA_OBJECT_CHANGED' : 'SOMBRA_CONDITION_UNENFORCED',
      ]);
      expect(await keysOf(store)).toEqual(conditions.ifAbsent ? ['a'] : []);
    });

    if (conditions.ifAbsent) checkIfAbsent();
    if (conditions.ifUnchanged) checkIfUnchanged();
  });

  function checkIfAbsent(): void {
    for (const size of [10, large]) {
      const [one, two] = [noise(10, size), noise(11, size)];
      check(`ifAbsent, ${size} bytes`, async (store) => {
        await store.put('a/b', one, { ifAbsent: true });
        expect(await codeOf(store.put('a/b', two, { ifAbsent: true }))).toBe('SOMBRA_OBJECT_EXISTS');
        expect(await codeOf(store.put('a/b', streamOf(two, [1000]), { ifAbsent: true }))).toBe('SOMBRA_OBJECT_EXISTS');
        expect(isSame(await contentOf(store, 'a/b'), one)).toBe(true);
        await store.delete('a/b');
        await store.put('a/b', two, { ifAbsent: true });
        expect(isSame(await contentOf(store, 'a/b'), two)).toBe(true);
        expect(await keysOf(store)).toEqual(['a/b']);
      });
    }

    check('of many at once with ifAbsent exactly one wins', async (store, { again }) => {
      const other = await again();
      for (let round = 0; round < 5; round += 1) {
        const key = `race/${round}`;
        const results = await Promise.all(
          Array.from({ length: 8 }, (_, turn) =>
            codeOf((turn % 2 === 0 ? store : other).put(key, bytesOf(`by ${turn}`), { ifAbsent: true })),
          ),
        );
        expect(results.toSorted()).toEqual([...Array<string>(7).fill('SOMBRA_OBJECT_EXISTS'), 'no error']);
        expect(textOf(await contentOf(store, key))).toBe(`by ${results.indexOf('no error')}`);
      }
      other.close();
    });
  }

  function checkIfUnchanged(): void {
    for (const size of [10, large]) {
      const [one, two] = [noise(10, size), noise(11, size)];
      check(`ifUnchanged, ${size} bytes`, async (store) => {
        expect(await codeOf(store.put('a', one, { ifUnchanged: 'none' }))).toBe('SOMBRA_OBJECT_CHANGED');
        const first = await store.put('a', one);
        const second = await store.put('a', two, { ifUnchanged: first.etag });
        expect(await codeOf(store.put('a', one, { ifUnchanged: first.etag }))).toBe('SOMBRA_OBJECT_CHANGED');
        expect(isSame(await contentOf(store, 'a'), two)).toBe(true);
        await store.put('a', one, { ifUnchanged: second.etag });
        expect(isSame(await contentOf(store, 'a'), one)).toBe(true);
        const { etag } = (await store.head('a'))!;
        await store.delete('a');
        expect(await codeOf(store.put('a', two, { ifUnchanged: etag }))).toBe('SOMBRA_OBJECT_CHANGED');
        expect(await keysOf(store)).toEqual([]);
      });
    }

    check('a counter that many raise with ifUnchanged loses no step', async (store, { again }) => {
      await store.put('counter', bytesOf('0'));
      const raise = async (by: ObjectStore): Promise<void> => {
        for (let left = 2; left > 0; ) {
          const object = await by.get('counter');
          const next = String(Number(textOf(await join(object.body))) + 1);
          const code = await codeOf(by.put('counter', bytesOf(next), { ifUnchanged: object.etag }));
          if (code === 'no error') left -= 1;
          else expect(code).toBe('SOMBRA_OBJECT_CHANGED');
        }
      };
      const other = await again();
      await Promise.all([raise(store), raise(other), raise(store)]);
      expect(textOf(await contentOf(store, 'counter'))).toBe('6');
      other.close();
    });
  }
}
