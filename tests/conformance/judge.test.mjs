// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import {judge, read_line} from './judge.mjs';

const lines = (...texts) => texts.map((text) => read_line(text));

test('a line has a verdict and a name', () => {
  const line = 'FAIL whole n_1.json status 200';
  assert.deepEqual(read_line(line), {verdict: 'FAIL', name: 'whole', line});
  assert.equal(read_line(line, /^(\S+ \S+)/).name, 'whole n_1.json');
  assert.equal(read_line('  warn chat.basic something'), undefined);
  assert.equal(read_line('totals ok=3'), undefined);
});

test('what passes, or is allowed to fail, is no problem', () => {
  assert.deepEqual(judge(lines('ok a', 'NOTE b lax', 'SKIP c'), {}, 2, 2), []);
  assert.deepEqual(judge(lines('ok a', 'FAIL b no'), {b: 'because'}, 1, 1), []);
});

test('a failure that nobody allowed is one', () => {
  assert.deepEqual(judge(lines('FAIL b no', 'ok a'), {}, 1, 1), ['FAIL b no']);
  assert.equal(judge(lines('FAIL b no'), {toString: 'x'}, 1, 1).length, 2);
  assert.deepEqual(judge(lines('FAIL toString no'), {}, 1, 1), ['FAIL toString no']);
});

test('so is an exception that passes, or is not known', () => {
  assert.match(judge(lines('ok b'), {b: 'because'}, 1, 1)[0], /^b passes/);
  assert.match(judge([], {b: 'because'}, 1, 1)[0], /^b passes/);
});

test('and a suite that ran nothing', () => {
  assert.match(judge([], {}, undefined, 1)[0], /undefined cases passed/);
  assert.match(judge([], {}, 3, 4)[0], /3 cases passed/);
});
