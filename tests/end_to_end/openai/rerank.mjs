// SPDX-License-Identifier: Apache-2.0
// rerank, as Cohere and Jina have it: documents by how many words they share with the query.
import {need, number, refuse, text} from './errors.mjs';
import {count_tokens, new_id} from './text.mjs';

const words = (value) => new Set(value.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []);

function score(query, document) {
  const wanted = words(query);
  const found = [...words(document)].filter((word) => wanted.has(word)).length;
  return found / Math.max(1, wanted.size);
}

export function rerank({body}, reply) {
  text(body, 'model');
  const query = text(body, 'query');
  const documents = need(body, 'documents');
  if (!Array.isArray(documents)) refuse("'documents' must be a list.", 'documents');
  const top = number(body, 'top_n', 1, 1 << 20, {whole: true}) ?? documents.length;
  const texts = documents.map((document) => document.text ?? document);
  const results = texts
    .map((document, index) => ({index, relevance_score: score(query, document),
      ...(body.return_documents === true ? {document: {text: document}} : {})}))
    .sort((a, b) => b.relevance_score - a.relevance_score || a.index - b.index).slice(0, top);
  const usage = {total_tokens: count_tokens([query, ...texts])};
  return reply.json(200, {id: new_id('rerank-'), model: body.model, results, usage});
}
