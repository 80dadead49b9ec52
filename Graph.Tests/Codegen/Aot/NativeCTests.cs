using Graphene.Codegen.Aot;
using Graphene.Tests.Optimizer;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Aot;

/// <summary>Native libraries as C programs see them: misuse is answered by an error code, and a run takes no memory.</summary>
[TestFixture]
internal sealed class NativeCTests
{
    private static readonly string Sources = RepositoryRoot.Combine("Graph.Tests", "Codegen", "Aot");

    [Test]
    public void MisuseIsAnsweredByAnErrorCode()
    {
        using var folder = new TemporaryFolder();
        CompiledLibrary library = LoadedNative.Compile(CheckedModule(), isFreestanding: true, hasExternalWeights: true);
        NativeFiles.Write(library, folder.Combine("m"), NativeFileKinds.Object | NativeFileKinds.Header);
        string program = CToolchain.BuildC(folder.Path, "misuse", Path.Combine(Sources, "misuse.c"), folder.Combine("m.o"));
        string output = CToolchain.Run(program, folder.Combine("m.weights"));
        TestContext.Out.WriteLine(output);
        Assert.That(int.Parse(output.Split(' ')[0], null), Is.GreaterThanOrEqualTo(20));
        Assert.That(output, Does.EndWith(" 0 failures\n"));
    }

    [Test]
    public void RunsTakeNoMemory()
    {
        using var folder = new TemporaryFolder();
        CompiledLibrary library = LoadedNative.Compile(CompiledModule.Build(b =>
        {
            Node x = b.Parameter(0, F32(32, 64));
            Node hidden = b.Exponential(b.Dot(x, b.Constant(Optimizing.Random(F32(64, 96), 1))));
            return [b.Softmax(b.Dot(hidden, b.Constant(Optimizing.Random(F32(96, 48), 2))), 1)];
        }));
        NativeFiles.Write(library, folder.Combine("libm1"), NativeFileKinds.Archive | NativeFileKinds.Header);
        File.Move(folder.Combine("libm1.h"), folder.Combine("m.h"));
        string program = CToolchain.BuildC(folder.Path, "counted", Path.Combine(Sources, "counted.c"), "-L.", "-lm1");
        Assert.That(CToolchain.Run(program), Does.Contain(" 0 taken, error 0"));
    }

    // Two dims that must be equal, constants, an assertion, and work for several tasks.
    private static Module CheckedModule()
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, new TensorType(DType.F32, [Dim.Symbol("batch", 1, 8), 16]));
        Node flag = b.Parameter(1, TensorType.Scalar(DType.I32));
        Node r = b.Parameter(2, new TensorType(DType.F32, [Dim.Symbol("rows", 1, 8), 16]));
        Node y = b.Dot(b.Exponential(b.Dot(b.Add(x, r), Weights(b, 1))), Weights(b, 2));
        Node assertion = b.HostCall(HostCallKind.Assert, "the flag is not zero", 0, b.NotEqual(flag, b.Constant(DType.I32, 0)));
        Computation entry = b.Build("entry", [y, b.Add(flag, flag)], [assertion]);
        return new Module("m", entry, ["x", "flag", "r"], ["y", "z"], b.Provenance);
    }

    private static Node Weights(GraphBuilder b, int seed) => b.Constant(Optimizing.Random(F32(16, 16), seed));

    private static TensorType F32(params long[] shape) => new(DType.F32, Shape.Of(shape));
}
