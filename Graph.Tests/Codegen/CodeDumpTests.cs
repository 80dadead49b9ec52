using Graphene.Codegen;
using Graphene.Optimizer;
using Graphene.Runtime;
using Graphene.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace Graphene.Tests.Codegen;

/// <summary>Kernels and LLVM IR of a compilation lie beside the graphs of its passes, for whoever asks for them.</summary>
internal sealed class CodeDumpTests
{
    [Test]
    public void KernelsAreWrittenUnderTheNamesOfTheirFunctions()
    {
        using var folder = new TemporaryFolder();
        var options = new GraphCompilerOptions
        {
            Optimizer = OptimizerOptions.Default with { Debug = DebugOptions.None with { DumpFolder = folder.Path } },
        };

        using Executable executable = GraphCompiler.Cpu(options).Compile(Product(), NullLogger.Instance, CancellationToken.None);

        string kernels = File.ReadAllText(Directory.GetFiles(folder.Path, "*.kernels").Single());
        string ir = File.ReadAllText(Directory.GetFiles(folder.Path, "*.ll").Single());
        KernelSpec spec = executable.Plan.Kernels.Single();
        Assert.That(kernels, Does.StartWith($"// {spec.Name}\nkernel "));
        Assert.That(() => KernelParser.Parse(kernels[(kernels.IndexOf('\n', StringComparison.Ordinal) + 1)..]), Throws.Nothing);
        Assert.That(ir, Does.Contain($"@{spec.Name}("));
    }

    [Test]
    public void AFolderThatCannotBeMadeCostsNothingButTheDump()
    {
        using var folder = new TemporaryFolder();
        string file = folder.Combine("file");
        File.WriteAllText(file, "");

        Assert.That(() => CodeDump.Write(Path.Combine(file, "x"), "graph", NullLogger.Instance, [(".ll", "text")]), Throws.Nothing);
    }

    private static Module Product() => CompiledModule.Build(b =>
    [
        b.Dot(b.Parameter(0, new TensorType(DType.F32, Shape.Of(3, 4))), b.Parameter(1, new TensorType(DType.F32, Shape.Of(4, 5)))),
    ]);
}
