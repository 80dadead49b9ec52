namespace Graphene.Codegen.Aot;

/// <content>The class of models: one for graphs whose sizes are numbers, one for those that the caller gives sizes.</content>
internal static partial class WasmLoaderText
{
    private const string StaticModel = """
        /** The model with a memory of its own. One call at a time; several instances are independent. */
        class Model {
          #plan;
          #run;

          constructor({ memory, run }, plan) {
            const views = values => Object.freeze(Object.fromEntries(
              values.map(v => [v.name, viewOf(memory, v.type, v.at, v.shape.reduce((n, d) => n * d, 1))])));
            this.#plan = plan;
            this.#run = run;
            this.name = plan.name;
            this.memory = memory;
            /** Views of the inputs in the model's memory: fill them and call `run()`. @type {Inputs} */
            this.inputs = views(plan.inputs);
            /** Views of the outputs in the model's memory: each run overwrites them. @type {Outputs} */
            this.outputs = views(plan.outputs);
          }

          /**
           * Copies the inputs in, runs, and returns copies of the outputs. Without inputs it runs on what `inputs` hold and returns `outputs`.
           * @param {Inputs} [feeds]
           * @returns {Outputs}
           */
          run(feeds) {
            if (feeds === undefined) {
              this.#run();
              return this.outputs;
            }
            check(this.#plan, feeds);
            for (const input of this.#plan.inputs) copy(this.inputs[input.name], input, feeds[input.name]);
            this.#run();
            return copies(this.outputs);
          }
        }

        """;

    private const string SymbolicModel = """
        function valueOf(dim, dims) {
          if (typeof dim === 'number') return dim;
          if (typeof dim === 'string') return dims[dim];
          const a = valueOf(dim[1], dims);
          const b = valueOf(dim[2], dims);
          switch (dim[0]) {
            case '+': return a + b;
            case '*': return a * b;
            case '/': return Math.floor(a / b);
            case 'max': return Math.max(a, b);
            default: return Math.min(a, b);
          }
        }

        const aligned = n => Math.ceil(n / 64) * 64;

        // Largest first, each into the lowest place that is free as long as it lives.
        function pack(pieces) {
          const placed = [];
          let end = 0;
          for (const piece of [...pieces].sort((a, b) => b.size - a.size || a.first - b.first || a.index - b.index)) {
            piece.at = 0;
            for (const other of placed) {
              if (other.first > piece.last || piece.first > other.last) continue;
              if (piece.at + piece.size <= other.at) break;
              piece.at = Math.max(piece.at, other.at + other.size);
            }
            const behind = placed.findIndex(other => other.at > piece.at);
            placed.splice(behind < 0 ? placed.length : behind, 0, piece);
            end = Math.max(end, piece.at + piece.size);
          }
          return end;
        }

        /** The model with a memory of its own. One call at a time; several instances are independent. */
        class Model {
          #plan;
          #run;
          #addresses = [];
          #inputs = null;
          #outputs = null;

          constructor({ memory, run }, plan) {
            this.#plan = plan;
            this.#run = run;
            this.name = plan.name;
            this.memory = memory;
            /** The sizes that are bound, or null. */
            this.dims = null;
          }

          /** Views of the inputs in the model's memory: fill them and call `run()`. @returns {Inputs} */
          get inputs() {
            this.#mustBeBound();
            return this.#inputs;
          }

          /** Views of the outputs in the model's memory: each run overwrites them. @returns {Outputs} */
          get outputs() {
            this.#mustBeBound();
            return this.#outputs;
          }

          /** Chooses sizes. Memory grows if it must, and views that were taken before are no longer valid. */
          bind(dims) {
            const plan = this.#plan;
            for (const [name, min, max] of plan.symbols) {
              const value = dims[name];
              if (!Number.isInteger(value) || value < min || value > max) {
                throw new ModelError('bad-size', `size '${name}' is ${value}`, `it is an integer from ${min} to ${max}`,
                  `pass { ${plan.symbols.map(s => s[0]).join(', ')} } to bind or as the second argument of run`);
              }
            }
            for (const [left, relation, right, text] of plan.checks) {
              const [a, b] = [valueOf(left, dims), valueOf(right, dims)];
              if (relation === '==' ? a !== b : a > b) {
                throw new ModelError('bad-size', `sizes ${JSON.stringify(dims)} do not fit the model`, `it needs ${text}, and has ${a} and ${b}`,
                  'choose sizes for which that holds');
              }
            }
            this.#place(dims);
            this.dims = Object.freeze({ ...dims });
            return this;
          }

          /**
           * Copies the inputs in, runs, and returns copies of the outputs. Without inputs it runs on what `inputs` hold and returns `outputs`.
           * @param {Inputs} [feeds]
           * @param {object} [dims] sizes; those that the lengths of inputs tell can be left out
           * @returns {Outputs}
           */
          run(feeds, dims) {
            if (feeds === undefined) {
              this.#mustBeBound();
              this.#run();
              return this.#outputs;
            }
            check(this.#plan, feeds);
            const wanted = this.#infer(feeds, { ...dims });
            if (!this.dims || this.#plan.symbols.some(([name]) => wanted[name] !== this.dims[name])) this.bind(wanted);
            for (const input of this.#plan.inputs) copy(this.#inputs[input.name], input, feeds[input.name]);
            this.#run();
            return copies(this.#outputs);
          }

          // A shape with one unknown size that stands alone tells it by the number of elements.
          #infer(feeds, dims) {
            for (let found = true; found;) {
              found = false;
              for (const { name, shape } of this.#plan.inputs) {
                const unknown = shape.filter(d => typeof d !== 'number' && valueOf(d, dims) !== valueOf(d, dims) || valueOf(d, dims) === undefined);
                if (unknown.length !== 1 || typeof unknown[0] !== 'string') continue;
                const rest = shape.filter(d => d !== unknown[0]).reduce((n, d) => n * valueOf(d, dims), 1);
                dims[unknown[0]] = feeds[name].length / rest;
                found = true;
              }
            }
            for (const [name] of this.#plan.symbols) dims[name] ??= this.dims?.[name];
            return dims;
          }

          #place(dims) {
            const { buffers, inputs, outputs, symbols, free, buffersAt, symbolsAt } = this.#plan;
            let end = free;
            const pieces = [];
            this.#addresses = buffers.map((buffer, index) => {
              if (typeof buffer === 'number') return buffer;
              const size = valueOf(buffer[0], dims);
              if (buffer.length === 3) {
                pieces.push({ index, size: aligned(size), first: buffer[1], last: buffer[2], at: 0 });
                return 0;
              }
              const at = end;
              end = aligned(end + size);
              return at;
            });
            const arena = end;
            end += pack(pieces);
            for (const { index, at } of pieces) this.#addresses[index] = arena + at;
            this.#grow(end);
            const table = new BigInt64Array(this.memory.buffer, buffersAt, buffers.length);
            this.#addresses.forEach((at, i) => { table[i] = BigInt(at); });
            new BigInt64Array(this.memory.buffer, symbolsAt, symbols.length).set(symbols.map(([name]) => BigInt(dims[name])));
            const views = values => Object.freeze(Object.fromEntries(values.map(v => [v.name, viewOf(
              this.memory, v.type, this.#addresses[v.buffer], v.shape.reduce((n, d) => n * valueOf(d, dims), 1))])));
            this.#inputs = views(inputs);
            this.#outputs = views(outputs);
          }

          #grow(bytes) {
            const missing = Math.ceil((bytes - this.memory.buffer.byteLength) / 65536);
            if (missing <= 0) return;
            try {
              this.memory.grow(missing);
            } catch {
              throw new ModelError('no-memory', `the model takes ${bytes} bytes of memory for these sizes`,
                'the engine does not give that much; 4294967296 bytes are the most there can be', 'choose smaller sizes');
            }
          }

          #mustBeBound() {
            if (!this.dims) {
              throw new ModelError('no-size', 'the sizes are not chosen yet', `the shapes depend on ${this.#plan.symbols.map(s => s[0]).join(', ')}`,
                'call bind first, or pass the inputs to run');
            }
          }
        }

        """;
}
