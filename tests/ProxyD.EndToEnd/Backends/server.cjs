// A vendor daemon as people have them: it binds its own port and knows nothing of socket activation.
// PORT             where it listens on 127.0.0.1
// EVENT_LOG        appends a line per event here: request TOKEN, done TOKEN (TOKEN is the request's path)
// ANSWER_DELAY_MS  how long an answer takes
const fs = require('node:fs');
const http = require('node:http');

const log = process.env.EVENT_LOG ? fs.openSync(process.env.EVENT_LOG, 'a') : undefined;
const delayMs = Number(process.env.ANSWER_DELAY_MS ?? 0);

// Synchronous, so that the line is there even if the next instruction is never reached.
function note(event, token) {
  if (log !== undefined) fs.writeSync(log, `${event} ${token}\n`);
}

http.createServer((request, response) => {
  const token = request.url.slice(1);
  note('request', token);
  const answer = () => response.end(`${token}\n`, () => note('done', token));
  if (delayMs > 0) setTimeout(answer, delayMs);
  else answer();
}).listen(Number(process.env.PORT), '127.0.0.1');
