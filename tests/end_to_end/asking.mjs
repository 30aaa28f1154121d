// SPDX-License-Identifier: Apache-2.0
// Chats as clients send them, and what they make of the answers.
import OpenAI from 'openai';
import {event} from './upstream.mjs';

export const messages = [{role: 'user', content: 'hello'}];
export const client = (server) =>
  new OpenAI({baseURL: `${server.url}/v1`, apiKey: 'client-key', maxRetries: 0});

export const ask = (server, body, path = 'chat/completions') =>
  fetch(`${server.url}/v1/${path}`, {
    method: 'POST', headers: {'content-type': 'application/json'},
    body: JSON.stringify({model: 'fast', ...(path.startsWith('chat') ? {messages} : {}), ...body}),
  });

// As a provider: a stream of texts as they are, and of documents as events.
export function stream(response, pieces) {
  response.writeHead(200, {'content-type': 'text/event-stream'});
  for (const piece of pieces) response.write(typeof piece === 'string' ? piece : event(piece));
  response.end();
}

// What a client makes of a stream.
export async function gather(server, body = {}) {
  const seen = {text: '', reasoning: '', calls: [], usage: null, finish: null, error: null};
  const parts = await client(server).chat.completions.create(
    {model: 'fast', messages, stream: true, ...body});
  try {
    for await (const part of parts) {
      if (part.usage) seen.usage = part.usage;
      for (const choice of part.choices) {
        seen.text += choice.delta.content ?? '';
        seen.reasoning += choice.delta.reasoning_content ?? '';
        seen.finish = choice.finish_reason ?? seen.finish;
        for (const piece of choice.delta.tool_calls ?? []) {
          const call = seen.calls[piece.index] ??= {id: '', name: '', arguments: ''};
          call.id += piece.id ?? '';
          call.name += piece.function?.name ?? '';
          call.arguments += piece.function?.arguments ?? '';
        }
      }
    }
  } catch (error) {
    seen.error = error;
  }
  return seen;
}
