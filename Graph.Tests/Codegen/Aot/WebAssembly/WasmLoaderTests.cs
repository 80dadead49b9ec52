using Graphene.Codegen.Aot;
using Graphene.Codegen.Llvm;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Aot;

/// <summary>The generated loader: where it takes modules from, and what it says when something is wrong.</summary>
internal sealed class WasmLoaderTests : IDisposable
{
    private const string Prelude = """
        import { readFile, writeFile } from 'node:fs/promises';
        import assert from 'node:assert';
        import { load } from './sum.mjs';
        const bytes = await readFile(new URL('./sum.wasm', import.meta.url));
        async function fails(code, action) {
          try { await action(); } catch (e) {
            assert.equal(e.name, 'ModelError', e.stack);
            assert.equal(e.code, code);
            assert.match(e.message, /^.+\n  why  .+\n  fix  .+$/);
            return;
          }
          assert.fail(`no error, ${code} expected`);
        }

        """;

    private TemporaryFolder _folder = null!;

    [OneTimeSetUp]
    public void Compile()
    {
        NodeEngine.Require();
        _folder = new TemporaryFolder();
        WasmFiles.Write(Sum(2), _folder.Combine("sum.wasm"), [LlvmTarget.Wasm32]);
        WasmFiles.Write(Sum("n"), _folder.Combine("sized.wasm"), [LlvmTarget.Wasm32Simd], keepsWeightsApart: true);
    }

    [OneTimeTearDown]
    public void Dispose() => _folder?.Dispose();

    [Test]
    public void AModuleComesFromAnywhere() => Run("""
        for (const source of [undefined, new URL('./', import.meta.url), new URL('./sum.wasm', import.meta.url), './sum.wasm', bytes,
            bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length), await WebAssembly.compile(bytes),
            new Response(bytes), new Response(bytes, { headers: { 'content-type': 'application/wasm' } })]) {
          assert.deepEqual([...(await load(source)).run({ 'the x': [1, 2], y: [10n, 20n] }).sum], [11, 24]);
        }
        """);

    [Test]
    public void InputsMayBeFilledInPlace() => Run("""
        const model = await load();
        assert(model.inputs['the x'] instanceof Float32Array && model.inputs.y instanceof BigInt64Array);
        model.inputs['the x'].set([3, 4]);
        model.inputs.y.set([1n, 2n]);
        assert.equal(model.run(), model.outputs);
        assert.deepEqual([...model.outputs.sum], [4, 10]);
        const kept = model.run({ 'the x': new Float32Array([5, 5]), y: [1, 1] });
        model.run({ 'the x': [0, 0], y: [0, 0] });
        assert.deepEqual([...kept.sum], [6, 11]);
        assert.deepEqual([...model.outputs.sum], [0, 0]);
        """);

    [Test]
    public void SizesComeFromLengthsOrNames() => Run("""
        const { load: loadSized } = await import('./sized.mjs');
        const model = await loadSized();
        assert.deepEqual([...model.run({ 'the x': [1, 2, 3], y: [0n, 0n, 0n] }).sum], [1, 4, 9]);
        assert.equal(model.dims.n, 3);
        const view = model.bind({ n: 300000 }).inputs['the x'];
        assert.equal(view.length, 300000);
        view.fill(1);
        assert.equal(model.run().sum[299999], 300000);
        const before = model.memory.buffer.byteLength;
        assert.deepEqual([...model.run({ 'the x': [2], y: [5n] }, { n: 1 }).sum], [7]);
        assert.equal(model.memory.buffer.byteLength, before);
        """);

    [Test]
    public void EveryMistakeHasItsMessage() => Run("""
        const { load: loadSized } = await import('./sized.mjs');
        const model = await load();
        const sized = await loadSized();
        await fails('bad-input', () => model.run({ 'the x': [1, 2] }));
        await fails('bad-input', () => model.run({ 'the x': [1, 2], y: [1n, 2n], z: [] }));
        await fails('bad-input', () => model.run({ 'the x': [1, 2, 3], y: [1n, 2n] }));
        await fails('no-size', () => sized.run());
        await fails('bad-size', () => sized.bind({ n: 1.5 }));
        await fails('bad-size', () => sized.bind({}));
        await fails('bad-input', () => sized.run({ 'the x': [1, 2], y: [1n] }));
        await fails('no-memory', () => sized.bind({ n: 2 ** 30 }));
        await fails('not-a-model', () => load(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])));
        await fails('bad-weights', async () => loadSized(await readFile(new URL('./sized.wasm', import.meta.url))));
        await fails('bad-weights', () => loadSized(undefined, { weights: new Uint8Array(3) }));
        globalThis.fetch = async () => new Response('', { status: 404 });
        await fails('not-found', () => load('http://localhost/sum.wasm'));
        WebAssembly.validate = () => false;
        await fails('no-simd', () => loadSized());
        assert.deepEqual([...(await load()).run({ 'the x': [1, 2], y: [0n, 0n] }).sum], [1, 4]);
        """);

    private void Run(string script)
    {
        string file = _folder.Combine($"{TestContext.CurrentContext.Test.MethodName}.mjs");
        File.WriteAllText(file, Prelude + script);
        NodeEngine.Run(file);
    }

    // x times 1, 2, ... plus y; the product with a row whose sum is 1 gives it weights.
    private static Module Sum(Dim size)
    {
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, [size], "the x");
        Tensor y = graph.Placeholder(DType.I64, [size], "y");
        Tensor eighths = graph.Constant(new float[,] { { 0.5f }, { 0.25f }, { 0.125f }, { 0.125f } });
        Tensor same = (x.ExpandDims(1) * graph.Constant(new float[] { 1, 1, 1, 1 })).MatMul(eighths).Reshape(Shape.From([size]));
        Tensor ramp = (x * 0 + 1).CumSum();
        return graph.ToModule([same * ramp + y.Cast(DType.F32)], [x, y]) with { Name = "sum", OutputNames = ["sum"] };
    }
}
