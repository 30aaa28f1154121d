// SPDX-License-Identifier: Apache-2.0
// A server with OpenAI's surface and no model: what it answers follows from the request, what it
// got is kept. In a test: `const upstream = await open_upstream()`. As a program:
//   node openai_upstream.mjs [--port N] [--key KEY]       prints "listening on http://127.0.0.1:N"
// and GET /requests tells, as JSON with base64 bodies, what came lately.
import {createServer} from 'node:http';
import {pathToFileURL} from 'node:url';
import {speech, transcriptions, translations} from './openai/audio.mjs';
import {chat} from './openai/chat.mjs';
import {completions} from './openai/completions.mjs';
import {embeddings} from './openai/embeddings.mjs';
import {ApiError, refuse} from './openai/errors.mjs';
import {edits, generations, variations} from './openai/images.mjs';
import {moderations} from './openai/moderations.mjs';
import {read_form} from './openai/multipart.mjs';
import {rerank} from './openai/rerank.mjs';
import {responses} from './openai/responses.mjs';
import {new_id} from './openai/text.mjs';

export const kModels = ['upstream-model', 'upstream-reasoning-model'];
const kRequestsKept = 256;

const json_operations = {
  '/v1/chat/completions': chat, '/v1/completions': completions, '/v1/embeddings': embeddings,
  '/v1/images/generations': generations, '/v1/audio/speech': speech,
  '/v1/moderations': moderations, '/v1/rerank': rerank, '/v1/responses': responses,
};
const form_operations = {
  '/v1/images/edits': edits, '/v1/images/variations': variations,
  '/v1/audio/transcriptions': transcriptions, '/v1/audio/translations': translations,
};

const model = (id) => ({id, object: 'model', created: 1700000000, owned_by: 'upstream'});

class Reply {
  constructor(response) {
    this.response = response;
    response.setHeader('x-request-id', new_id('req_'));
  }
  bytes(status, type, bytes) {
    const length = Buffer.byteLength(bytes);
    this.response.writeHead(status, {'content-type': type, 'content-length': length});
    this.response.end(bytes);
  }
  json(status, value) { this.bytes(status, 'application/json', JSON.stringify(value)); }
  // Each of {event, data}, or data alone, in a write of its own: with a pause, so that clients read
  // them one by one.
  async events(list) {
    this.response.writeHead(200,
      {'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache'});
    for (const item of list) {
      if (this.response.destroyed) return;
      const {event, data} = item.data === undefined ? {data: item} : item;
      const written = typeof data === 'string' ? data : JSON.stringify(data);
      const more = this.response.write(`${event ? `event: ${event}\n` : ''}data: ${written}\n\n`);
      await new Promise((resolve) => {
        if (more) return setTimeout(resolve, 4);
        this.response.once('drain', resolve);
        return this.response.once('close', resolve);
      });
    }
    this.response.end();
  }
}

async function read(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return {
    method: request.method, path: request.url, version: request.httpVersion,
    headers: request.headers, raw_headers: request.rawHeaders, raw: Buffer.concat(pieces),
  };
}

function parsed(bytes) {
  let value;
  try {
    value = JSON.parse(new TextDecoder('utf-8', {fatal: true}).decode(bytes));
  } catch {
    refuse('We could not parse the JSON body of your request.');
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    refuse('The body of your request must be a JSON object.');
  }
  return value;
}

function authorize(seen, key) {
  if (key === undefined || seen.headers.authorization === `Bearer ${key}`) return;
  throw new ApiError(401, 'Incorrect API key provided.', {code: 'invalid_api_key'});
}

function check_model(id, models) {
  if (typeof id !== 'string' || models.includes(id)) return;
  throw new ApiError(404, `The model '${id}' does not exist.`,
    {param: 'model', code: 'model_not_found'});
}

function list_models(path, models, reply) {
  if (path === '/v1/models') return reply.json(200, {object: 'list', data: models.map(model)});
  const id = decodeURIComponent(path.slice('/v1/models/'.length));
  check_model(id, models);
  return reply.json(200, model(id));
}

function answer(seen, reply, {requests, key, models}) {
  const path = seen.path.split('?')[0];
  if (path === '/requests') {
    return reply.json(200, requests.map((one) => ({...one, raw: one.raw.toString('base64')})));
  }
  requests.push(seen);
  if (requests.length > kRequestsKept) requests.shift();
  authorize(seen, key);
  if (seen.method === 'GET' && /^\/v1\/models(\/|$)/.test(path)) {
    return list_models(path, models, reply);
  }
  if (seen.method === 'POST' && json_operations[path]) {
    seen.body = parsed(seen.raw);
    check_model(seen.body.model, models);
    return json_operations[path](seen, reply);
  }
  if (seen.method === 'POST' && form_operations[path]) {
    const form = read_form(seen.headers['content-type'], seen.raw);
    check_model(form.fields.get('model'), models);
    return form_operations[path]({...seen, form}, reply);
  }
  throw new ApiError(404, `Unknown request URL: ${seen.method} ${path}.`, {code: 'unknown_url'});
}

async function serve_one(request, response, state) {
  const reply = new Reply(response);
  try {
    await answer(await read(request), reply, state);
  } catch (error) {
    if (response.headersSent || response.destroyed) return response.destroy();
    if (error instanceof ApiError) return reply.json(error.status, error.body);
    console.error(error);
    reply.json(500, {error: {message: `${error}`, type: 'server_error', param: null, code: null}});
  }
  return undefined;
}

// {url, port, requests, close()}: requests hold headers as sent, and the body's bytes as `raw`.
export async function open_upstream({port = 0, key, models = kModels} = {}) {
  const requests = [];
  const server = createServer((request, response) => {
    serve_one(request, response, {requests, key, models});
  });
  server.keepAliveTimeout = 600000;
  server.requestTimeout = 0;
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  const bound = server.address().port;
  return {url: `http://127.0.0.1:${bound}/v1`, port: bound, requests, close, server};
}

function option(name) {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const {port} = await open_upstream({port: Number(option('--port') ?? 0), key: option('--key')});
  console.log(`listening on http://127.0.0.1:${port}`);
}
