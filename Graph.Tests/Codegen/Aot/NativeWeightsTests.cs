using Graphene.Codegen.Aot;
using Graphene.Tests.Optimizer;
using Graphene.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Aot;

/// <summary>Weights files: several libraries share one, and damage is found.</summary>
[TestFixture]
internal sealed unsafe class NativeWeightsTests
{
    [Test]
    public void TwoLibrariesShareOneFile()
    {
        Module first = Layers(1, 2);
        Module second = Layers(1, 3); // the first layer is the same
        CompiledLibrary a = Compile("a", first, null);
        CompiledLibrary b = Compile("b", second, a.Weights);
        CompiledLibrary again = Compile("a", first, b.Weights);

        Assert.That(
            b.Weights!.Value.Length,
            Is.GreaterThan(a.Weights!.Value.Length).And.LessThan((2 * a.Weights.Value.Length) - 4096 - (64 * 64 * 4)));
        Assert.That(again.Weights!.Value.Span.SequenceEqual(b.Weights.Value.Span), "nothing is added twice");
        foreach ((CompiledLibrary library, Module module) in ((CompiledLibrary, Module)[])[(a, first), (b, second)])
        {
            using var native = new LoadedNative(library, b.Weights.Value);
            Literal input = Optimizing.Random(module.Entry.ParameterTypes[0], 7);
            (int error, Literal[] outputs) = native.Run([input], [module.Entry.Results[0].Type]);
            Assert.That(error, Is.Zero);
            Assert.That(Check(native, b.Weights.Value.Length), Is.Zero);
            LiteralAssert.AreClose(outputs[0], Evaluator.Evaluate(module.Entry, [input])[0], 1e-5, 1e-5);
        }
    }

    [Test]
    public void EveryFlippedBitOfAConstantIsFound()
    {
        CompiledLibrary library = Compile("a", Layers(1, 2), null);
        using var native = new LoadedNative(library);
        var random = new Random(11);
        int length = library.Weights!.Value.Length;
        SharedConstants constants = WeightsFile.Read(library.Weights.Value.Span);
        for (int i = 0; i < 2000; i++)
        {
            SharedConstants.Entry entry = constants.Entries[random.Next(constants.Entries.Count)];
            byte* at = native.Weights!.Pointer + entry.Offset + random.NextInt64(entry.Length);
            byte mask = (byte)(1 << random.Next(8));
            *at ^= mask;
            Assert.That(Check(native, length), Is.EqualTo((int)NativeErrorCode.BadWeights));
            *at ^= mask;
        }
        Assert.That(Check(native, length), Is.Zero);
    }

    [Test]
    public void DamagedFileIsNotExtended()
    {
        CompiledLibrary library = Compile("a", Layers(1, 2), null);
        byte[] file = library.Weights!.Value.ToArray();
        foreach (int at in (int[])[0, 8, 17, 24, 33, 41, 4096, 5000, file.Length - 1, file.Length - 20])
        {
            file[at] ^= 4;
            GraphException? e = Assert.Throws<GraphException>(() => Compile("b", Layers(1, 3), file), $"byte {at}");
            Assert.That(e!.Id, Is.EqualTo(AotDiagnostics.WeightsFile));
            file[at] ^= 4;
        }
        Assert.Throws<GraphException>(() => Compile("b", Layers(1, 3), file.AsMemory(0, 100)));
    }

    private static int Check(LoadedNative native, long length)
    {
        nint address = native.Function($"{native.Library.Options.Name}_weights_check");
        return ((delegate* unmanaged[Cdecl]<void*, nuint, int>)address)(native.Weights!.Pointer, (nuint)length);
    }

    private static CompiledLibrary Compile(string name, Module module, ReadOnlyMemory<byte>? existing) => NativeLibraryCompiler.Compile(
        [new NativeSignature("run", module)], AotTarget.Parse("x86-64-v3"),
        new NativeOptions { Name = name, HasExternalWeights = true, ExistingWeights = existing }, NullLogger.Instance);

    private static Module Layers(params int[] seeds) => CompiledModule.Build(b =>
    {
        Node x = b.Parameter(0, new TensorType(DType.F32, Shape.Of(3, 64)));
        foreach (int seed in seeds)
        {
            x = b.Negate(b.Dot(x, b.Constant(Optimizing.Random(new TensorType(DType.F32, Shape.Of(64, 64)), seed))));
        }
        return [x];
    });
}
