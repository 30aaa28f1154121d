// SPDX-License-Identifier: Apache-2.0
// An OpenAI-like server that the tests script: what it got is kept, what it answers is given.
import {createServer} from 'node:http';

export async function upstream(context, answer) {
  const requests = [];
  const closed = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (data) => { body += data; });
    request.on('end', () => {
      const seen = {method: request.method, path: request.url, headers: request.headers, body};
      requests.push(seen);
      response.on('close', () => closed.push({seen, complete: response.writableFinished}));
      answer(seen, response, requests.length);
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {url: `http://127.0.0.1:${server.address().port}/v1`, requests, closed, server};
}

export function json(response, status, value, headers = {}) {
  response.writeHead(status, {'content-type': 'application/json', ...headers});
  response.end(JSON.stringify(value));
}

export function completion(text, model = 'upstream-model') {
  return {
    id: 'chatcmpl-1', object: 'chat.completion', created: 1, model,
    choices: [{
      index: 0, finish_reason: 'stop', logprobs: null,
      message: {role: 'assistant', content: text, refusal: null},
    }],
    usage: {prompt_tokens: 3, completion_tokens: 5, total_tokens: 8},
  };
}

export function chunk(delta, finish = null, extra = {}) {
  return {
    id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'upstream-model',
    choices: [{index: 0, delta, finish_reason: finish}], ...extra,
  };
}

export function event(value) {
  return `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`;
}

// One whose streams wait in their middle until all that have come are told to finish.
export async function waiting_stream(context) {
  const waiting = [];
  const up = await upstream(context, (_, response) => {
    response.writeHead(200, {'content-type': 'text/event-stream'});
    response.write(event(chunk({content: 'first'})));
    waiting.push(response);
  });
  const rest = event(chunk({content: ' last'})) + event(chunk({}, 'stop')) + event('[DONE]');
  const finish = () => {
    for (const response of waiting.splice(0)) response.end(rest);
  };
  return {...up, finish};
}

export function until(condition, timeout_ms = 5000) {
  const end = Date.now() + timeout_ms;
  return new Promise((resolve, reject) => {
    const look = () => {
      if (condition()) return resolve();
      if (Date.now() > end) return reject(new Error(`not within ${timeout_ms} ms: ${condition}`));
      setTimeout(look, 5);
    };
    look();
  });
}
