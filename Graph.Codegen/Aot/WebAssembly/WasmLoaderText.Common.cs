namespace Graphene.Codegen.Aot;

/// <content>What all loaders have: errors, bytes from anywhere, values in memory.</content>
internal static partial class WasmLoaderText
{
    private const string Common = """
        /** An error that says what is wrong, why, and how to mend it. */
        export class ModelError extends Error {
          constructor(code, what, why, fix) {
            super(`${what}\n  why  ${why}\n  fix  ${fix}`);
            this.name = 'ModelError';
            this.code = code;
          }
        }

        // A function that makes a vector: valid only where vectors are.
        const PROBE = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11]);

        const ARRAYS = {
          f32: Float32Array, f64: Float64Array, i8: Int8Array, i16: Int16Array, i32: Int32Array, i64: BigInt64Array, bool: Uint8Array,
          u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, u64: BigUint64Array, f16: Uint16Array, bf16: Uint16Array,
        };

        function chooseFile() {
          if (FILES.simd && WebAssembly.validate(PROBE)) return FILES.simd;
          if (FILES.plain) return FILES.plain;
          throw new ModelError('no-simd', 'this engine has no WebAssembly vectors',
            'the model was compiled for engines with 128-bit vectors only', 'compile it for wasm32 as well: --target wasm32-all');
        }

        const isAddress = source => typeof source === 'string' || source instanceof URL;

        // Where a page or a program is, for addresses that are relative to it.
        const resolve = source => source instanceof URL ? source
          : new URL(source, globalThis.document?.baseURI ?? globalThis.location?.href ?? import.meta.url);

        const beside = (file, folder) => {
          const url = new URL(file, folder);
          url.search = folder.search;
          return url;
        };

        async function open(source) {
          if (!isAddress(source)) return source;
          const url = resolve(source);
          if (url.protocol === 'file:') {
            const { open } = await import(/* webpackIgnore: true */ /* @vite-ignore */ 'node:fs/promises');
            return await open(url);
          }
          const response = await fetch(url);
          if (!response.ok) {
            throw new ModelError('not-found', `${url} cannot be loaded: status ${response.status}`,
              'the model is made of several files that are fetched when it is loaded', 'serve all of them from one folder, or pass the addresses');
          }
          return response;
        }

        async function compile(source) {
          if (source instanceof WebAssembly.Module) return source;
          const opened = await open(source);
          if (typeof Response !== 'undefined' && opened instanceof Response) {
            return opened.headers.get('content-type') === 'application/wasm'
              ? WebAssembly.compileStreaming(opened)
              : WebAssembly.compile(await opened.arrayBuffer());
          }
          if (typeof opened.readFile !== 'function') return WebAssembly.compile(opened);
          try {
            return await WebAssembly.compile(await opened.readFile());
          } finally {
            await opened.close();
          }
        }

        // Copies bytes to where they belong as they come: they are never in memory twice.
        async function fill(target, source) {
          const opened = await open(source);
          let at = 0;
          const add = bytes => {
            if (at + bytes.length <= target.length) target.set(bytes, at);
            at += bytes.length;
          };
          if (typeof Response !== 'undefined' && opened instanceof Response) {
            const reader = opened.body.getReader();
            for (let part = await reader.read(); !part.done; part = await reader.read()) add(part.value);
          } else if (typeof opened.read === 'function') {
            const part = new Uint8Array(1 << 22);
            try {
              for (let n = 1; n > 0; add(part.subarray(0, n))) n = (await opened.read(part, 0, part.length, null)).bytesRead;
            } finally {
              await opened.close();
            }
          } else {
            add(ArrayBuffer.isView(opened) ? new Uint8Array(opened.buffer, opened.byteOffset, opened.byteLength) : new Uint8Array(opened));
          }
          if (at !== target.length) {
            throw new ModelError('bad-weights', `the weights have ${at} bytes, not ${target.length}`,
              'weights belong to the module that was compiled with them', 'take the .weights file that was written beside the .wasm file');
          }
        }

        /**
         * Loads the model.
         * @param source the module, its address, or the address of its folder (ends with a slash); the folder of this file when left out
         * @param options `weights`: where the weights are, if they are a file of their own and not beside the module
         * @returns {Promise<Model>}
         */
        export async function load(source = new URL('./', import.meta.url), options = {}) {
          if (isAddress(source)) {
            source = resolve(source);
            if (source.pathname.endsWith('/')) source = beside(chooseFile(), source);
          }
          const module = await compile(source);
          const [section] = WebAssembly.Module.customSections(module, 'graphene');
          if (!section) {
            throw new ModelError('not-a-model', 'this WebAssembly module is no model of Graphene',
              'it has no section that says what it takes and gives', 'pass the .wasm file that was written beside this file');
          }
          const plan = JSON.parse(new TextDecoder().decode(section));
          const { exports } = await WebAssembly.instantiate(module);
          if (plan.weights) {
            const [at, size] = plan.weights;
            const weights = options.weights ?? (isAddress(source) ? beside(source.pathname.replace(/^.*\//, '').replace(/\.wasm$/, '.weights'), source) : null);
            if (weights === null) {
              throw new ModelError('bad-weights', 'the weights are missing', 'they are a file of their own', 'pass load(module, { weights })');
            }
            await fill(new Uint8Array(exports.memory.buffer, at, size), weights);
          }
          return new Model(exports, plan);
        }

        const viewOf = (memory, type, at, count) => new ARRAYS[type](memory.buffer, at, count);

        function check(plan, feeds) {
          for (const name of Object.keys(feeds)) {
            if (!plan.inputs.some(i => i.name === name)) {
              throw new ModelError('bad-input', `there is no input '${name}'`, `the inputs are ${plan.inputs.map(i => i.name).join(', ')}`,
                'pass an object with exactly these properties');
            }
          }
          for (const { name, type, shape } of plan.inputs) {
            if (feeds[name]?.length === undefined) {
              throw new ModelError('bad-input', `input '${name}' is missing`, 'run takes all inputs at once, or none to use what `inputs` hold',
                `pass { ${name}: ... }, a ${ARRAYS[type].name} of shape [${shape.map(dimText).join(', ')}]`);
            }
          }
        }

        const dimText = d => Array.isArray(d) ? `${d[0]}(${d.slice(1).map(dimText).join(', ')})` : `${d}`;

        function copy(view, { name, type, shape }, values) {
          if (values.length !== view.length) {
            throw new ModelError('bad-input', `input '${name}' has ${values.length} elements, not ${view.length}`,
              `it is a tensor of shape [${shape.map(dimText).join(', ')}]`, `pass a ${ARRAYS[type].name} of ${view.length} elements`);
          }
          const isBig = view instanceof BigInt64Array || view instanceof BigUint64Array;
          view.set(isBig && typeof values[0] === 'number' ? Array.from(values, BigInt) : values);
        }

        const copies = outputs => Object.fromEntries(Object.entries(outputs).map(([name, view]) => [name, view.slice()]));


        """;
}
