// Makes of a drawing what MNIST made of scanned digits: the ink's box scaled to 20 x 20, its aspect kept, grey where ink covers a pixel
// in part, and the centre of mass in the middle of 28 x 28.

const SIZE = 28;
const BOX = 20;
const FAINT = 8;

/**
 * @param {ArrayLike<number>} ink brightness of each pixel, 0 to 255, row by row: white on black
 * @param {number} width
 * @param {number} height
 * @returns {Uint8Array | null} 28 x 28 bytes; null for an empty drawing
 */
export function toMnist(ink, width, height) {
  const box = boxOf(ink, width, height);
  if (!box) return null;
  const scale = BOX / Math.max(box.width, box.height);
  const [columns, rows] = [box.width, box.height].map(n => Math.max(1, Math.round(n * scale)));
  const small = shrink(ink, width, box, columns, rows);
  let [mass, x, y] = [0, 0, 0];
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const value = small[r * columns + c];
      mass += value;
      x += value * c;
      y += value * r;
    }
  }
  // Nothing may leave the field, wherever the mass is.
  const place = (moment, extent) => Math.min(SIZE - extent, Math.max(0, Math.round((SIZE - 1) / 2 - moment / mass)));
  const [left, top] = [place(x, columns), place(y, rows)];
  const image = new Uint8Array(SIZE * SIZE);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) image[(top + r) * SIZE + left + c] = Math.round(small[r * columns + c]);
  }
  return image;
}

function boxOf(ink, width, height) {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (ink[y * width + x] < FAINT) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = y;
    }
  }
  return right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

// Each result is the mean of the area that it covers.
function shrink(ink, width, box, columns, rows) {
  const small = new Float64Array(columns * rows);
  const across = covering(box.width, columns);
  const down = covering(box.height, rows);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      let sum = 0;
      let area = 0;
      for (const [y, h] of down[r]) {
        for (const [x, w] of across[c]) {
          sum += ink[(box.top + y) * width + box.left + x] * w * h;
          area += w * h;
        }
      }
      small[r * columns + c] = sum / area;
    }
  }
  return small;
}

// Which of `from` pixels each of `to` covers, and how much of each.
function covering(from, to) {
  return Array.from({ length: to }, (_, i) => {
    const [begin, end] = [i * from / to, (i + 1) * from / to];
    const parts = [];
    for (let x = Math.floor(begin); x < Math.min(from, Math.ceil(end)); x++) {
      parts.push([x, Math.min(end, x + 1) - Math.max(begin, x)]);
    }
    return parts;
  });
}
