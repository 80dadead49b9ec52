// Graphene's WebAssembly beside TensorFlow.js and ONNX Runtime Web in Node, one thread each, in turns.
//
//   node bench.mjs --model digits|mobilenet_v2|mlp --ours FOLDER --onnx FILE [--peers FOLDER] [--native PROGRAM] [--rounds 5] [--seconds 0.5]
//     [--markdown]
//
// FOLDER of --ours holds what `graphene compile FILE -o FOLDER/MODEL.wasm` wrote; both modules are
// measured. --peers is where this was run: npm install --ignore-scripts @tensorflow/tfjs @tensorflow/tfjs-backend-wasm onnxruntime-web
// PROGRAM is the same model as machine code, made with native.c: a process that measures when it is told to, in its turn.
// Each contender feeds its input and reads its result in each run. A round runs all contenders for so many seconds; medians of the rounds'
// medians are shown, and the shortest run of all.
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { onnxruntime, randomArray, tensorflow } from './peers.mjs';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string' }, ours: { type: 'string' }, onnx: { type: 'string' }, peers: { type: 'string' },
    rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '0.5' }, markdown: { type: 'boolean', default: false },
    native: { type: 'string' }, without: { type: 'string', default: '' },
  },
});

const median = values => values.toSorted((a, b) => a - b)[values.length >> 1];

async function ours(file, name, inputs) {
  const { load } = await import(pathToFileURL(path.join(options.ours, `${options.model}.mjs`)));
  const model = await load(pathToFileURL(path.join(path.resolve(options.ours), file)));
  const [input] = Object.values(model.inputs);
  const [output] = Object.values(model.outputs);
  return {
    name: `Graphene ${name}`,
    inputs,
    output,
    async run() {
      input.set(inputs[0].data);
      model.run();
      return output.slice();
    },
  };
}

// Machine code cannot be called from here: a process that waits for its turns.
function native(program) {
  const child = spawn(path.resolve(program), { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    name: 'Graphene native, one thread',
    async measure(seconds) {
      child.stdin.write(`${seconds}\n`);
      return (await lines.next()).value.split(' ').map(Number);
    },
    close: () => child.stdin.end(),
  };
}

async function describe() {
  const module = await WebAssembly.compile(await readFile(path.join(options.ours, `${options.model}.wasm`)));
  const [section] = WebAssembly.Module.customSections(module, 'graphene');
  const plan = JSON.parse(new TextDecoder().decode(section));
  return plan.inputs.map((value, i) => ({ ...value, data: randomArray(value.type, value.shape.reduce((n, d) => n * d, 1), i + 1) }));
}

// As many runs as fit the time, at least three.
async function measure(contender, seconds) {
  if (contender.measure) return contender.measure(seconds);
  const times = [];
  const end = performance.now() + 1000 * seconds;
  while (times.length < 3 || performance.now() < end) {
    const start = performance.now();
    await contender.run();
    times.push(performance.now() - start);
  }
  return times;
}

const inputs = await describe();
const wanted = name => !options.without.split(',').includes(name);
const contenders = [await ours(`${options.model}.simd.wasm`, 'simd', inputs), await ours(`${options.model}.wasm`, 'plain', inputs)];
if (options.peers && wanted('ort')) contenders.push(await onnxruntime(options.peers, options.onnx, { inputs }));
if (options.peers && wanted('tfjs')) {
  contenders.push(await tensorflow(options.peers, options.model, 'wasm'));
  if (wanted('cpu')) contenders.push(await tensorflow(options.peers, options.model, 'cpu'));
}

if (options.native) contenders.push(native(options.native));

const reference = await contenders.find(c => c.name.startsWith('onnxruntime'))?.run();
for (const contender of contenders) {
  const isSlow = contender.name === 'tfjs cpu' && options.model === 'mobilenet_v2';
  contender.seconds = isSlow ? 0 : Number(options.seconds);
  await measure(contender, isSlow ? 0 : 0.3);
  if (reference && contender.output) {
    contender.error = Math.max(...(await contender.run()).map((x, i) => Math.abs(x - reference[i])));
  }
}
const rounds = contenders.map(() => []);
for (let round = 0; round < Number(options.rounds); round++) {
  for (const [i, contender] of contenders.entries()) {
    if (contender.seconds > 0 || round === 0) rounds[i].push(await measure(contender, contender.seconds));
  }
}

const figures = contenders.map((c, i) => ({
  name: c.name + (c.version ? ` ${c.version}` : ''),
  median: median(rounds[i].map(median)),
  best: Math.min(...rounds[i].flat()),
  error: c.error,
}));
contenders.forEach(c => c.close?.());
const number = ms => ms.toFixed(ms < 1 ? 4 : 2);
if (options.markdown) {
  console.log(`| ${options.model} | median ms | best ms | times Graphene simd |\n| --- | --- | --- | --- |`);
  for (const f of figures) console.log(`| ${f.name} | ${number(f.median)} | ${number(f.best)} | ${(f.median / figures[0].median).toFixed(2)} |`);
} else {
  console.log(`${options.model}; node ${process.version}, ${cpus()[0].model}`);
  for (const f of figures) {
    console.log(`  ${f.name.padEnd(32)} median ${number(f.median).padStart(9)} ms   best ${number(f.best).padStart(9)} ms   ` +
      `${(f.median / figures[0].median).toFixed(2)} x` + (f.error === undefined ? '' : `   largest difference from ORT ${f.error.toExponential(1)}`));
  }
}
