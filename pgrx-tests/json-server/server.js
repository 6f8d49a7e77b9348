// Starts json-server on a free port of 127.0.0.1, with other rows whenever they are asked for.
//
// Each line of standard input is one request in JSON, and is answered by one line on standard output:
//   {"rows": {"t": [{"id": 1}]}}   serve these tables; answered by null
//   {"requests": true}             answered by the requests since the last time: ["GET /t?id=1"]
// The first line on standard output is the port. It ends with its standard input.
const jsonServer = require('json-server');
const readline = require('readline');

let router = jsonServer.router({});
let requests = [];

const app = jsonServer.create();
app.use((request, response, next) => {
  requests.push(`${request.method} ${request.url}`);
  next();
});
app.use(jsonServer.defaults({ logger: false }));
app.use((request, response, next) => router(request, response, next));

function answer(order) {
  if (order.rows) {
    router = jsonServer.router(order.rows);
    requests = [];
    return null;
  }
  const seen = requests;
  requests = [];
  return seen;
}

const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const server = app.listen(0, '127.0.0.1', () => say(server.address().port));
// Longer than any test: a connection that is closed while a request is under way would be an error that no real user sees.
server.keepAliveTimeout = 600000;

const orders = readline.createInterface({ input: process.stdin });
orders.on('line', (line) => say(answer(JSON.parse(line))));
orders.on('close', () => process.exit(0));
