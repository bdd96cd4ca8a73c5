// Goal: code of the program that throws disturbs no caller, and is reported; warnings end no process.
// Method: everything that may be thrown, at once and later, in simulated environments; a warning of Node's process.
import { expect, test } from 'vitest';
import { callHook, NodeEnv } from '../src/index.ts';
import { SimEnv } from '../src/testing/index.ts';

const THROWN: readonly unknown[] = [new Error('mine'), 'text', undefined, null, Object.create(null), Symbol('s')];

test.each(THROWN.map((thrown, at) => [at, thrown]))(
  'whatever is thrown (%i) becomes a warning',
  async (_at, thrown) => {
    const env = new SimEnv({ seed: 1 });
    callHook(env, 'a.db', () => {
      throw thrown;
    });
    callHook(env, 'a.db', () => Promise.reject(thrown));
    await Promise.resolve();
    expect(env.warnings.map(({ code, cause }) => [code, cause])).toEqual([
      ['SOMBRA_HOOK_FAILED', thrown],
      ['SOMBRA_HOOK_FAILED', thrown],
    ]);
    expect(env.warnings[0]!.message).toContain('a.db');
  },
);

test('a call that returns causes no warning', async () => {
  const env = new SimEnv({ seed: 1 });
  for (const result of [undefined, 1, {}, Promise.resolve(1)]) callHook(env, 'a.db', () => result);
  await Promise.resolve();
  expect(env.warnings).toEqual([]);
});

test('with Node it is a warning of the process, with code and stack', async () => {
  const warned = new Promise((resolve) => process.once('warning', resolve));
  const cause = new Error('mine');
  new NodeEnv().warn({ code: 'SOMBRA_HOOK_FAILED', message: 'mend it', cause });
  expect(await warned).toMatchObject({
    name: 'SombraWarning',
    code: 'SOMBRA_HOOK_FAILED',
    message: 'mend it',
    detail: cause.stack,
  });
});
