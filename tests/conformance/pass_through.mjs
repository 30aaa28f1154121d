// SPDX-License-Identifier: Apache-2.0
// The whole surface: what a client sends reaches the upstream unchanged but for the model's name;
// what the upstream answers reaches the client as it would without a gateway, and obeys the schema.
import {wav} from '../end_to_end/openai/audio.mjs';
import {png} from '../end_to_end/openai/images.mjs';

const kBoundary = 'a-boundary-of-the-test';
const kPicture = png(8, 8, [10, 20, 30]);
const kSound = wav(Buffer.alloc(6400, '\r\n--a-boundary'));
const kMessages = [{role: 'user', content: 'h\u00e9llo \u{1f600}'}];
const kTool = {type: 'function', name: 'f', parameters: {
  type: 'object', properties: {x: {type: 'integer'}}, required: ['x']}};

const fill = (text, model) => text.replaceAll('MODEL', model);
const json = (value) => ({type: 'application/json', of: (model) =>
  Buffer.from(fill(JSON.stringify({model: 'MODEL', ...value}), model))});

function form(parts) {
  const written = (model) => Buffer.concat([
    ...parts.flatMap(([name, value, file]) => [
      Buffer.from(`--${kBoundary}\r\nContent-Disposition: form-data; name="${name}"` +
        (file ? `; filename="${file}"\r\nContent-Type: text/plain` : '') + '\r\n\r\n'),
      Buffer.isBuffer(value) ? value : Buffer.from(fill(value, model)), Buffer.from('\r\n')]),
    Buffer.from(`--${kBoundary}--\r\n`)]);
  return {type: `multipart/form-data; boundary=${kBoundary}`, of: written};
}

const hearing = (...more) => form([['model', 'MODEL'], ...more, ['file', kSound, 'a.wav']]);
const model_last = form([['file', kSound, 'a.wav'], ['model', 'MODEL']]);
const events = {stream: true};
const with_usage = {stream: true, stream_options: {include_usage: true}};

// name, path, request, schema of the answer (or of each event), model.
const kCases = [
  ['chat', '/chat/completions', json({messages: kMessages, seed: 1}),
    'CreateChatCompletionResponse'],
  ['chat.stream', '/chat/completions', json({messages: kMessages, ...with_usage}),
    'CreateChatCompletionStreamResponse'],
  ['chat.reasoning', '/chat/completions', json({messages: kMessages}),
    'CreateChatCompletionResponse', '-reasoning'],
  ['chat.reasoning.stream', '/chat/completions', json({messages: kMessages, ...with_usage}),
    'CreateChatCompletionStreamResponse', '-reasoning'],
  ['completions', '/completions', json({prompt: ['a', 'b'], n: 2, logprobs: 1, echo: true}),
    'CreateCompletionResponse'],
  ['completions.stream', '/completions', json({prompt: 'a', ...with_usage}), null],
  ['embeddings', '/embeddings', json({input: ['a', 'b'], dimensions: 5}),
    'CreateEmbeddingResponse'],
  ['embeddings.base64', '/embeddings', json({input: 'a', encoding_format: 'base64'}), null],
  ['images.generations', '/images/generations', json({prompt: 'a dot', n: 2, size: '64x64'}),
    'ImagesResponse'],
  ['images.generations.url', '/images/generations', json({prompt: 'a', response_format: 'url'}),
    'ImagesResponse'],
  ['images.generations.stream', '/images/generations',
    json({prompt: 'a', partial_images: 2, ...events}), 'ImageGenStreamEvent'],
  ['images.edits', '/images/edits',
    form([['image[]', kPicture, 'a.png'], ['image[]', kPicture, 'b.png'], ['prompt', 'a'],
      ['model', 'MODEL'], ['mask', kPicture, 'm.png']]), 'ImagesResponse'],
  ['images.edits.stream', '/images/edits',
    form([['stream', 'true'], ['image', kPicture, 'a.png'], ['prompt', 'a'], ['model', 'MODEL']]),
    'ImageEditStreamEvent'],
  ['images.variations', '/images/variations',
    form([['model', 'MODEL'], ['image', kPicture, 'a.png'], ['n', '2']]), 'ImagesResponse'],
  ['audio.speech', '/audio/speech', json({input: 'hi', voice: 'alloy'}), null],
  ['audio.speech.wav', '/audio/speech',
    json({input: 'hi'.repeat(200), voice: 'alloy', response_format: 'wav'}), null],
  ['audio.speech.sse', '/audio/speech', json({input: 'hi', voice: 'alloy', stream_format: 'sse'}),
    'CreateSpeechResponseStreamEvent'],
  ['audio.transcriptions', '/audio/transcriptions', hearing(), 'CreateTranscriptionResponseJson'],
  ['audio.transcriptions.model_last', '/audio/transcriptions', model_last,
    'CreateTranscriptionResponseJson'],
  ['audio.transcriptions.verbose', '/audio/transcriptions',
    hearing(['response_format', 'verbose_json'], ['timestamp_granularities[]', 'word']),
    'CreateTranscriptionResponseVerboseJson'],
  ...['text', 'srt', 'vtt'].map((format) => [`audio.transcriptions.${format}`,
    '/audio/transcriptions', hearing(['response_format', format]), null]),
  ['audio.transcriptions.stream', '/audio/transcriptions', hearing(['stream', 'true']),
    'CreateTranscriptionResponseStreamEvent'],
  ['audio.translations', '/audio/translations', hearing(), 'CreateTranslationResponseJson'],
  ['moderations', '/moderations', json({input: ['a', 'attack']}), 'CreateModerationResponse'],
  ['rerank', '/rerank', json({query: 'a b', documents: ['c', 'a b'], top_n: 1}), null],
  ['responses', '/responses', json({input: 'hi', instructions: 'short'}), 'Response'],
  ['responses.stream', '/responses', json({input: 'hi', ...events}), 'ResponseStreamEvent'],
  ['responses.tool', '/responses', json({input: 'hi', tools: [kTool]}), 'Response'],
  ['responses.tool.stream', '/responses', json({input: 'hi', tools: [kTool], ...events}),
    'ResponseStreamEvent'],
  ['error', '/embeddings', json({}), 'ErrorResponse'],
];

async function send(url, path, request, model, headers = {}) {
  const answer = await fetch(url + path, {
    method: 'POST', body: request.of(model), headers: {'content-type': request.type, ...headers},
  });
  const type = answer.headers.get('content-type')?.split(';')[0];
  return {status: answer.status, type, bytes: Buffer.from(await answer.arrayBuffer())};
}

// Without what differs between two answers of the same server, and the name of the model.
const plain = (bytes) => bytes.toString('latin1').replace(/_?-?0\d{11}/g, 'ID')
  .replace(/"(created|created_at|completed_at)":\d+/g, '"$1":0')
  .replace(/"model":"[^"]*"/g, '"model":"MODEL"');

function first_difference(left, right) {
  let at = 0;
  while (at < left.length && left[at] === right[at]) ++at;
  const show = (text) => JSON.stringify(text.slice(Math.max(0, at - 30), at + 60));
  return `at ${at}: ${show(left)}, upstream ${show(right)}`;
}

function values_of({type, bytes}, parseSSE) {
  if (!/event-stream/.test(type)) return [JSON.parse(bytes)];
  return parseSSE(bytes.toString()).events.filter(({data}) => data !== '[DONE]')
    .map(({data}) => JSON.parse(data));
}

function* problems_of([name, , request, schema], {got, wanted, seen, model}, tools) {
  if (got.status !== wanted.status) {
    yield `status ${got.status}, upstream ${wanted.status}: ${got.bytes}`;
    return;
  }
  if (seen && !seen.raw.equals(request.of(model))) yield 'the request came changed';
  if (got.type !== wanted.type) yield `content-type ${got.type}, upstream ${wanted.type}`;
  const [left, right] = [plain(got.bytes), plain(wanted.bytes)];
  if (name !== 'error' && left !== right) yield first_difference(left, right);
  for (const value of schema ? values_of(got, tools.parseSSE) : []) {
    yield* tools.official.check(schema, value).errors;
  }
}

async function check(item, place, tools) {
  const [, path, request, , suffix = ''] = item;
  const model = suffix ? 'upstream-reasoning-model' : 'upstream-model';
  const key = {authorization: 'Bearer sk-of-the-upstream'};
  const wanted = await send(place.upstream.url, path, request, model, key);
  const before = place.upstream.requests.length;
  const got = await send(place.url, path, request, `conformance${suffix}`);
  const seen = place.upstream.requests.length > before ? place.upstream.requests.at(-1) : null;
  const problems = [...problems_of(item, {got, wanted, seen, model}, tools)];
  return seen || item[0] === 'error' ? problems : [...problems, 'the upstream was not asked'];
}

export async function check_pass_through(place, print) {
  const {Official} = await place.suite('schemas.mjs');
  const {parseSSE} = await place.suite('validate.mjs');
  const tools = {official: new Official(), parseSSE};
  let ok = 0;
  for (const item of kCases) {
    const problems = await check(item, place, tools).catch((error) => [error.message]);
    if (problems.length === 0) ++ok;
    print(problems.length === 0 ? `ok ${item[0]}` : `FAIL ${item[0]} ${problems[0]}`);
  }
  return ok;
}
