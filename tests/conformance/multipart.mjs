// SPDX-License-Identifier: Apache-2.0
// Forms over the wire, as transcriptions: each case's body with a model put before its first part.
// What is accepted must reach the upstream byte for byte, but for the model's name.
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {digest} from '../end_to_end/openai/text.mjs';

// Of the purpose of a stored file, which a transcription has not.
const kOfOtherRoute = ['no_purpose'];
const kModels = ['conformance', 'upstream-model'];

function with_model({ct}, body, model) {
  const boundary = /boundary=(?:"([^"]*)"|([^\s;]*))/i.exec(ct);
  const mark = boundary && `--${boundary[1] ?? boundary[2]}`;
  const at = boundary ? body.indexOf(mark) : -1;
  if (at < 0) return body;
  const part = `${mark}\r\nContent-Disposition: form-data; name="model"\r\n\r\n${model}\r\n`;
  return Buffer.concat([body.subarray(0, at), Buffer.from(part), body.subarray(at)]);
}

async function post(url, type, body, timeout_ms) {
  const answer = await fetch(`${url}/audio/transcriptions`, {
    method: 'POST', body, headers: {'content-type': type}, signal: AbortSignal.timeout(timeout_ms),
  });
  const text = await answer.text();
  let value;
  try {
    value = JSON.parse(text);
  } catch { /* judged by whoever needs it */ }
  return {status: answer.status, text, value};
}

function judge_accepted(item, answer, upstream, body) {
  if (answer.status !== 200) return `${answer.status} ${answer.text}`;
  const content = Buffer.from(item.content_b64, 'base64');
  if (!answer.value?.text.endsWith(digest(content))) return 'the file came changed';
  const wanted = with_model(item, body, kModels[1]);
  if (!upstream.requests.at(-1).raw.equals(wanted)) return 'the body came changed';
  return undefined;
}

function judge_refused({status, text, value}) {
  if (status < 400 || status >= 500) return `${status}, expected a refusal: ${text}`;
  return value?.error?.message ? undefined : `${status} without an error object`;
}

async function check(item, place, bytesOf) {
  const body = bytesOf(item, 'body_b64');
  const sent = with_model(item, body, kModels[0]);
  try {
    const answer = await post(place.url, item.ct, sent, 15000 * place.slow);
    if (item.expect === 'accept') return judge_accepted(item, answer, place.upstream, body);
    if (item.expect === 'reject') return judge_refused(answer);
    return answer.status >= 500 ? `${answer.status} ${answer.text}` : undefined;
  } catch (error) {
    return `no answer: ${error.cause?.message ?? error.message}`;
  }
}

export async function check_forms(place, print) {
  const {bytesOf} = await place.suite('ws_run.mjs');
  const items = JSON.parse(readFileSync(join(place.data, 'multipart/own.json'), 'utf8'));
  let ok = 0;
  for (const item of items.filter(({id}) => !kOfOtherRoute.includes(id))) {
    const problem = await check(item, place, bytesOf);
    if (problem === undefined) ++ok;
    print(problem === undefined ? `ok ${item.id}` : `FAIL ${item.id} ${problem}`);
  }
  return ok;
}
