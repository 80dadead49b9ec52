// Writes losses.tsv: the first 100 losses of two trainings with TensorFlow.js, from weights and data that a generator gives.
//   npm install @tensorflow/tfjs@4.22.0 && node losses.mjs > losses.tsv
import { createRequire } from 'node:module';
const tf = createRequire(`${process.cwd()}/`)('@tensorflow/tfjs');
await tf.setBackend('cpu');

// A linear congruential generator (Numerical Recipes); the upper 23 bits as a number from -0.5 to 0.5, exact in f32.
let state = 0;
const next = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return (state >>> 9) / (1 << 23) - 0.5;
};
const numbers = (count, scale = 1, offset = 0) => Float32Array.from({ length: count }, () => Math.fround(next() * scale) + offset);
const weight = (rows, columns, scale) => tf.variable(tf.tensor2d(numbers(rows * columns, scale), [rows, columns]));
// No bias is 0: at a logit of exactly 0, TensorFlow.js takes 0 for the slope of the cross-entropy's parts, which is not the sigmoid's.
const bias = (columns) => tf.variable(tf.tensor1d(numbers(columns, 0.25)));

function train(name, optimizer, variables, loss) {
  for (let step = 0; step < 100; step++) {
    const value = optimizer.minimize(() => loss(step), true, variables);
    console.log(`${name}\t${step}\t${value.dataSync()[0]}`);
  }
}

{
  state = 1;
  const x = tf.tensor2d([0, 0, 0, 1, 1, 0, 1, 1], [4, 2]);
  const y = tf.tensor2d([0, 1, 1, 0], [4, 1]);
  const [w1, b1, w2, b2] = [weight(2, 8, 2), bias(8), weight(8, 1, 2), bias(1)];
  train('xor', tf.train.sgd(0.5), [w1, b1, w2, b2], () =>
    tf.losses.sigmoidCrossEntropy(y, x.matMul(w1).add(b1).tanh().matMul(w2).add(b2)));
}
{
  state = 2;
  const batches = Array.from({ length: 4 }, () => {
    const images = tf.tensor2d(numbers(32 * 784, 1, 0.5), [32, 784]);
    const labels = Array.from({ length: 32 }, () => Math.floor((next() + 0.5) * 10));
    return [images, tf.oneHot(tf.tensor1d(labels, 'int32'), 10).toFloat()];
  });
  const [w1, b1, w2, b2] = [weight(784, 32, 0.125), bias(32), weight(32, 10, 0.5), bias(10)];
  train('mlp', tf.train.momentum(0.0078125, 0.9), [w1, b1, w2, b2], (step) => {
    const [images, labels] = batches[step % 4];
    return tf.losses.softmaxCrossEntropy(labels, images.matMul(w1).add(b1).relu().matMul(w2).add(b2));
  });
}
