// The peers of bench.mjs: TensorFlow.js (its wasm and cpu back ends) and ONNX Runtime Web, at one thread, on the three models.
// TensorFlow.js reads no ONNX, so the networks are written out here with its fused kernels; weights are random numbers, on which the
// time does not depend.
import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

// Random numbers of a small spread: activations stay in the range of ordinary numbers, and no denormals slow anybody down.
function random(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
}

export function randomArray(type, count, seed = 1) {
  const next = random(seed);
  return type === 'u8' ? Uint8Array.from({ length: count }, () => (next() + 0.5) * 255) : Float32Array.from({ length: count }, next);
}

function digits(tf, weight) {
  const conv = (x, filter, bias) => tf.fused.conv2d({ x, filter, strides: 1, pad: 'valid', bias, activation: 'relu' });
  const [w1, b1, w2, b2] = [weight([3, 3, 1, 16]), weight([16]), weight([3, 3, 16, 32]), weight([32])];
  const [w3, b3, w4, b4] = [weight([800, 128]), weight([128]), weight([128, 10]), weight([10])];
  return image => {
    let x = tf.mul(tf.cast(image, 'float32'), 1 / 255);
    x = tf.maxPool(conv(x, w1, b1), 2, 2, 'valid');
    x = tf.maxPool(conv(x, w2, b2), 2, 2, 'valid');
    x = tf.fused.matMul({ a: tf.reshape(x, [1, 800]), b: w3, bias: b3, activation: 'relu' });
    return tf.fused.matMul({ a: x, b: w4, bias: b4 });
  };
}

// Sandler et al. 2018, table 2: expansion, features, repetitions, stride of the first.
const BOTTLENECKS = [[1, 16, 1, 1], [6, 24, 2, 2], [6, 32, 3, 2], [6, 64, 4, 2], [6, 96, 3, 1], [6, 160, 3, 2], [6, 320, 1, 1]];

function mobilenet(tf, weight) {
  const conv = (size, from, to, strides, activation) => {
    const [filter, bias] = [weight([size, size, from, to]), weight([to])];
    return x => tf.fused.conv2d({ x, filter, strides, pad: 'same', bias, activation });
  };
  const depthwise = (features, strides) => {
    const [filter, bias] = [weight([3, 3, features, 1]), weight([features])];
    return x => tf.fused.depthwiseConv2d({ x, filter, strides, pad: 'same', bias, activation: 'relu6' });
  };
  const layers = [conv(3, 3, 32, 2, 'relu6')];
  let from = 32;
  for (const [expansion, to, repetitions, stride] of BOTTLENECKS) {
    for (let i = 0; i < repetitions; i++) {
      const wide = from * expansion;
      const steps = expansion > 1 ? [conv(1, from, wide, 1, 'relu6')] : [];
      steps.push(depthwise(wide, i === 0 ? stride : 1), conv(1, wide, to, 1, undefined));
      const hasResidual = i > 0;
      layers.push(x => {
        const y = steps.reduce((value, step) => step(value), x);
        return hasResidual ? tf.add(x, y) : y;
      });
      from = to;
    }
  }
  layers.push(conv(1, 320, 1280, 1, 'relu6'));
  const [w, b] = [weight([1280, 1000]), weight([1000])];
  return image => {
    const x = tf.mean(layers.reduce((value, layer) => layer(value), image), [1, 2]);
    return tf.fused.matMul({ a: x, b: w, bias: b });
  };
}

function mlp(tf, weight) {
  const layers = [[784, 512, 'relu'], [512, 512, 'relu'], [512, 10, undefined]].map(([from, to, activation]) => {
    const [b, bias] = [weight([from, to]), weight([to])];
    return a => tf.fused.matMul({ a, b, bias, activation });
  });
  return x => layers.reduce((value, layer) => layer(value), x);
}

const NETWORKS = {
  mlp: { build: mlp, shape: [1, 784], type: 'f32' },
  digits: { build: digits, shape: [1, 28, 28, 1], type: 'u8' },
  mobilenet_v2: { build: mobilenet, shape: [1, 224, 224, 3], type: 'f32' },
};

/** A model in TensorFlow.js: a function that runs it once and waits for the result. */
export async function tensorflow(folder, model, backend) {
  const require = createRequire(path.join(path.resolve(folder), 'package.json'));
  const tf = require('@tensorflow/tfjs');
  const wasm = require('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(path.join(path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm')), '../wasm-out') + '/');
  await tf.setBackend(backend);
  await tf.ready();
  const { build, shape, type } = NETWORKS[model];
  let seed = 0;
  const network = build(tf, size => tf.tensor(randomArray('f32', size.reduce((n, d) => n * d, 1), ++seed), size).mul(0.2));
  const values = randomArray(type, shape.reduce((n, d) => n * d, 1));
  const input = type === 'u8' ? Int32Array.from(values) : values;
  return {
    name: `tfjs ${backend}`,
    version: tf.version.tfjs,
    async run() {
      await tf.setBackend(backend);
      return tf.tidy(() => network(tf.tensor(input, shape, type === 'u8' ? 'int32' : 'float32')).dataSync());
    },
  };
}

/** A model in ONNX Runtime Web. */
export async function onnxruntime(folder, onnx, plan) {
  const require = createRequire(path.join(path.resolve(folder), 'package.json'));
  const ort = require('onnxruntime-web');
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = 'error';
  const session = await ort.InferenceSession.create(new Uint8Array(await readFile(onnx)), {
    executionProviders: ['wasm'], graphOptimizationLevel: 'all', intraOpNumThreads: 1,
  });
  const kinds = { f32: 'float32', u8: 'uint8', i64: 'int64', i32: 'int32' };
  const feeds = Object.fromEntries(plan.inputs.map(({ name, type, shape, data }) => [name, new ort.Tensor(kinds[type], data, shape)]));
  return {
    name: 'onnxruntime-web wasm',
    version: JSON.parse(await readFile(path.join(path.dirname(require.resolve('onnxruntime-web')), '../package.json'))).version,
    async run() {
      const results = await session.run(feeds);
      return results[session.outputNames[0]].data;
    },
  };
}
