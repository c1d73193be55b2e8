// A daemon that listens before it can serve: until it is ready it answers everything with 503.
// PORT          where it listens on 127.0.0.1
// READY_MS      how long after it listens it is ready
// READY_STATUS  what GET /health is answered with once it is ready (200)
// READY_FILE    a file that it makes then
// NOTIFY_SOCKET if systemd gives one (Type=notify, NotifyAccess=all), systemd is told then
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');

let ready = false;

http.createServer((request, response) => {
  const isHealth = request.url === '/health';
  response.statusCode = !ready ? 503 : isHealth ? Number(process.env.READY_STATUS ?? 200) : 200;
  response.end(`${request.url.slice(1)}\n`);
}).listen(Number(process.env.PORT), '127.0.0.1', () => setTimeout(becomeReady, Number(process.env.READY_MS)));

function becomeReady() {
  ready = true;
  if (process.env.READY_FILE) fs.writeFileSync(process.env.READY_FILE, '');
  if (process.env.NOTIFY_SOCKET) execFileSync('systemd-notify', ['--ready']);
}
