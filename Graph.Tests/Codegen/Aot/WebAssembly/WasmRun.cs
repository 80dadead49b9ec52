using System.Text.Json;
using Graphene.Codegen.Aot;
using Graphene.Codegen.Llvm;
using Graphene.Tests.Support;

namespace Graphene.Tests.Codegen.Aot;

/// <summary>Compiles graphs to WebAssembly and runs them in Node through the loader that is written beside them.</summary>
internal static class WasmRun
{
    // Feeds and results are files, so that large ones go through as they are.
    private const string Script = """
        import { readFile, writeFile } from 'node:fs/promises';
        const [,, loader, folder] = process.argv;
        const { load } = await import(loader);
        const runs = JSON.parse(await readFile(`${folder}/runs.json`, 'utf8'));
        const start = performance.now();
        const model = await load();
        const loaded = performance.now();
        const types = { f32: Float32Array, f64: Float64Array, i8: Int8Array, i16: Int16Array, i32: Int32Array, i64: BigInt64Array,
          bool: Uint8Array, u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, u64: BigUint64Array, f16: Uint16Array, bf16: Uint16Array };
        let best = Infinity;
        for (const [number, { feeds, dims, repeat }] of runs.entries()) {
          const values = {};
          for (const [i, { name, type }] of feeds.entries()) {
            const bytes = await readFile(`${folder}/${number}.in${i}`);
            values[name] = new types[type](bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
          }
          const results = model.run(values, ...(dims ? [dims] : []));
          for (let i = 0; i < repeat; i++) {
            const begin = performance.now();
            model.run();
            best = Math.min(best, performance.now() - begin);
          }
          for (const [i, value] of Object.values(results).entries()) {
            await writeFile(`${folder}/${number}.out${i}`, new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
          }
        }
        const memory = model.memory.buffer.byteLength;
        console.log(JSON.stringify({ load: loaded - start, best: Number.isFinite(best) ? best : 0, memory }));
        """;

    /// <summary>Compiles a graph into a folder as <c>model.wasm</c> and its companions.</summary>
    public static void Compile(Module module, TemporaryFolder folder, params LlvmTarget[] targets) =>
        WasmFiles.Write(module, folder.Combine("model.wasm"), targets);

    /// <summary>Runs what <see cref="Compile"/> wrote, once for each list of feeds, one after the other in one instance.</summary>
    /// <param name="folder">Where it is.</param>
    /// <param name="names">The inputs in the order of the feeds.</param>
    /// <param name="expected">Results of the same types as are expected, for each list.</param>
    /// <param name="feeds">The values.</param>
    /// <param name="dims">The sizes of symbols, if the lengths do not tell them.</param>
    /// <param name="repeat">How often each run is repeated for its time.</param>
    public static (Literal[][] Results, NodeFigures Figures) Run(
        TemporaryFolder folder, IReadOnlyList<string> names, IReadOnlyList<Literal[]> expected, IReadOnlyList<IReadOnlyList<Literal>> feeds,
        IReadOnlyList<IReadOnlyDictionary<string, long>>? dims = null, int repeat = 0)
    {
        NodeEngine.Require();
        for (int run = 0; run < feeds.Count; run++)
        {
            for (int i = 0; i < feeds[run].Count; i++)
            {
                WriteBytes(folder.Combine($"{run}.in{i}"), feeds[run][i]);
            }
        }
        File.WriteAllText(folder.Combine("runs.json"), JsonSerializer.Serialize(feeds.Select((f, run) => new
        {
            feeds = f.Select((v, i) => new { name = names[i], type = v.DType.Name() }),
            dims = dims?[run],
            repeat,
        })));
        File.WriteAllText(folder.Combine("run.mjs"), Script);
        string figures = NodeEngine.Run(folder.Combine("run.mjs"), folder.Combine("model.mjs"), folder.Path);
        Literal[][] results = [.. expected.Select((e, run) => (Literal[])[.. e.Select((v, i) =>
            new Literal(v.Type, File.ReadAllBytes(folder.Combine($"{run}.out{i}"))))])];
        return (results, JsonSerializer.Deserialize<NodeFigures>(figures)!);
    }

    private static void WriteBytes(string path, Literal value)
    {
        byte[] bytes = new byte[value.SizeInBytes];
        value.CopyTo(bytes);
        File.WriteAllBytes(path, bytes);
    }
}

/// <summary>What Node measured.</summary>
/// <param name="load">Milliseconds until the model was there.</param>
/// <param name="best">Milliseconds of the shortest run.</param>
/// <param name="memory">Bytes of the model's memory.</param>
internal sealed record NodeFigures(double load, double best, long memory);
