// SPDX-License-Identifier: Apache-2.0
// embeddings, as numbers and as base64 of 32-bit floats.
import {createHash} from 'node:crypto';
import {need, number, one_of, refuse, text} from './errors.mjs';
import {count_tokens} from './text.mjs';

const kDimensions = 48;

function inputs_of(body) {
  const input = need(body, 'input');
  const list = Array.isArray(input) && typeof input[0] !== 'number' ? input : [input];
  if (list.length === 0 || list.some((one) => one === '')) {
    refuse("'input' must not be empty.", 'input', 'invalid_value');
  }
  return list;
}

// Of length 1, the same for the same input.
function vector_of(input, dimensions) {
  const values = new Float32Array(dimensions);
  for (let i = 0; i < dimensions; i += 16) {
    const hash = createHash('sha256').update(`${i}:${JSON.stringify(input)}`).digest();
    for (let k = 0; k < 16 && i + k < dimensions; ++k) values[i + k] = hash.readInt16BE(2 * k);
  }
  const length = Math.hypot(...values) || 1;
  return values.map((value) => value / length);
}

function written(vector, format) {
  if (format === 'float') return [...vector];
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64');
}

export function embeddings({body}, reply) {
  text(body, 'model');
  const format = one_of(body, 'encoding_format', ['float', 'base64'], 'float');
  const dimensions = number(body, 'dimensions', 1, 4096, {whole: true}) ?? kDimensions;
  const inputs = inputs_of(body);
  const prompt_tokens = count_tokens(inputs);
  return reply.json(200, {
    object: 'list', model: body.model, usage: {prompt_tokens, total_tokens: prompt_tokens},
    data: inputs.map((input, index) => ({
      object: 'embedding', index, embedding: written(vector_of(input, dimensions), format),
    })),
  });
}
