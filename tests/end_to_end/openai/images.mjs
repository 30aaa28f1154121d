// SPDX-License-Identifier: Apache-2.0
// images: generations, edits and variations; a picture is one colour, taken from the request.
import {crc32_of} from './crc32.mjs';
import {deflateSync} from 'node:zlib';
import {number, one_of, refuse, text} from './errors.mjs';
import {count_tokens, digest, now_s} from './text.mjs';

const kSizes = ['1024x1024', '1024x1536', '1536x1024'];

function chunk_of(type, data) {
  const body = Buffer.concat([Buffer.from(type), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32_of(body), body.length + 4);
  return out;
}

export function png(width, height, [red, green, blue]) {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const row = Buffer.alloc(1 + 3 * width);
  for (let x = 0; x < width; ++x) row.set([red, green, blue], 1 + 3 * x);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), chunk_of('IHDR', head),
    chunk_of('IDAT', deflateSync(Buffer.concat(Array(height).fill(row)))),
    chunk_of('IEND', Buffer.alloc(0)),
  ]);
}

function picture(seed, size) {
  const [width, height] = (/^(\d+)x(\d+)$/.exec(size) ?? [0, 64, 64]).slice(1).map(Number);
  if (width * height > 4 << 20) refuse("'size' is too large.", 'size', 'invalid_value');
  return png(width, height, Buffer.from(digest(seed), 'hex').subarray(0, 3));
}

function usage_of(prompt, count) {
  const input = count_tokens(prompt ?? '');
  return {input_tokens: input, output_tokens: 64 * count, total_tokens: input + 64 * count,
    input_tokens_details: {text_tokens: input, image_tokens: 0}};
}

function* stream_of(asked, {prompt, size, name}) {
  const shape = {size: kSizes.includes(size) ? size : '1024x1024', quality: 'low',
    background: 'opaque', output_format: 'png', created_at: now_s()};
  const type = (what) => `${name}.${what}`;
  for (let at = 0; at < (asked.partial_images ?? 0); ++at) {
    const b64_json = picture(`${prompt}/${at}`, '16x16').toString('base64');
    const event = {type: type('partial_image'), ...shape, b64_json, partial_image_index: at};
    yield {event: event.type, data: event};
  }
  const b64_json = picture(prompt, '16x16').toString('base64');
  const last = {type: type('completed'), ...shape, b64_json, usage: usage_of(prompt, 1)};
  yield {event: last.type, data: last};
}

function answer(asked, seed, name, reply) {
  const count = number(asked, 'n', 1, 10, {whole: true}) ?? 1;
  const size = asked.size ?? '64x64';
  if (asked.stream === true) return reply.events(stream_of(asked, {prompt: seed, size, name}));
  const format = one_of(asked, 'response_format', ['b64_json', 'url'], 'b64_json');
  const data = Array.from({length: count}, (_, i) => {
    if (format === 'url') return {url: `https://images.example/${digest(`${seed}/${i}`)}.png`};
    return {b64_json: picture(i === 0 ? seed : `${seed}/${i}`, size).toString('base64')};
  });
  const known = kSizes.includes(size) ? {size} : {};
  return reply.json(200, {created: now_s(), data, ...known, usage: usage_of(asked.prompt, count)});
}

export function generations({body}, reply) {
  text(body, 'model');
  return answer(body, text(body, 'prompt'), 'image_generation', reply);
}

// Of a form: its fields with numbers and flags as JSON would have them.
function fields_of(form) {
  const fields = Object.fromEntries(form.fields);
  for (const name of ['n', 'partial_images']) {
    if (fields[name] !== undefined) fields[name] = Number(fields[name]);
  }
  fields.stream = fields.stream === 'true';
  return fields;
}

function pictures_of(form) {
  const files = form.parts.filter(({name, filename}) =>
    (name === 'image' || name === 'image[]') && filename !== undefined);
  if (files.length === 0) refuse("Missing required parameter: 'image'.", 'image');
  return digest(Buffer.concat(files.map(({content}) => content)));
}

export function edits({form}, reply) {
  const asked = fields_of(form);
  text(asked, 'model');
  const seed = `${text(asked, 'prompt')}/${pictures_of(form)}`;
  return answer(asked, seed, 'image_edit', reply);
}

export function variations({form}, reply) {
  return answer(fields_of(form), pictures_of(form), 'image_variation', reply);
}
