// SPDX-License-Identifier: Apache-2.0
// What the model "says": words that depend on nothing but the request.
import {createHash} from 'node:crypto';

const kWords = ('every answer of this server is made of plain words that follow from the request ' +
  'alone so two runs of a test see the same bytes').split(' ');
const kUsualTokens = 20;
const kLongTokens = 128;  // whoever allows more than this gets all of it

let ids = 0;
export const new_id = (prefix) => prefix + String(++ids).padStart(12, '0');
export const now_s = () => Math.floor(Date.now() / 1000);
export const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');

export const count_tokens = (value) => Math.max(1, Math.ceil(JSON.stringify(value).length / 4));

// A word and the space before it is a token.
export const tokens_of = (text) => text.match(/\s*\S+|\s+$/g) ?? [];

function words(first, count) {
  return Array.from({length: count}, (_, i) => kWords[(first + i) % kWords.length]);
}

// The smallest value that a JSON schema takes.
export function instance_of(schema, root = schema) {
  if (schema === null || typeof schema !== 'object') return 'x';
  if (schema.$ref) {
    const path = schema.$ref.split('/').slice(1);
    return instance_of(path.reduce((at, name) => at?.[name], root), root);
  }
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  for (const word of ['anyOf', 'oneOf', 'allOf']) {
    if (schema[word]) return instance_of(schema[word][0], root);
  }
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === 'object' || schema.properties) {
    const names = schema.required ?? Object.keys(schema.properties ?? {});
    return Object.fromEntries(
      names.map((name) => [name, instance_of(schema.properties?.[name] ?? {}, root)]));
  }
  if (type === 'array') {
    return Array.from({length: schema.minItems ?? 0}, () => instance_of(schema.items, root));
  }
  if (type === 'integer' || type === 'number') return schema.minimum ?? 1;
  if (type === 'boolean') return true;
  if (type === 'null') return null;
  return 'x'.repeat(schema.minLength ?? 1);
}

// {tokens, finish}: the words from `first`, or `fixed` text, within `limit` and before any stop.
export function say({first = 0, limit, stops = [], fixed}) {
  const length = limit > kLongTokens ? limit : kUsualTokens;
  let tokens = tokens_of(fixed ?? words(first, length).join(' '));
  let finish = 'stop';
  if (limit !== undefined && tokens.length > limit) {
    tokens = tokens.slice(0, limit);
    finish = 'length';
  }
  const whole = tokens.join('');
  const ends = stops.map((stop) => whole.indexOf(stop)).filter((at) => at >= 0);
  if (ends.length === 0) return {tokens, finish};
  return {tokens: tokens_of(whole.slice(0, Math.min(...ends))), finish: 'stop'};
}
