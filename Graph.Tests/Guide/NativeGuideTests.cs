using Graphene.Codegen.Aot;
using Graphene.Tests.Codegen.Aot;
using Graphene.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace Graphene.Tests.Guide;

/// <summary>docs/guide/native.md</summary>
internal sealed class NativeGuideTests
{
    [Test]
    public void CompileAndCall()
    {
        using var temporary = new TemporaryFolder();
        string folder = temporary.Path;

        // snippet
        var graph = new Graph("scorer");
        Tensor x = graph.Placeholder(DType.F32, ["batch", 3], "x");
        Tensor score = (x.MatMul(graph.Constant(new float[,] { { 1 }, { 2 }, { 3 } })) + 1).Relu();

        CompiledLibrary library = NativeLibraryCompiler.Compile(
            [new NativeSignature("run", graph.ToModule([score]))],
            AotTarget.Parse("x86-64"),
            new NativeOptions { Name = "scorer" },
            NullLogger.Instance);
        NativeFiles.Write(library, Path.Combine(folder, "scorer"), NativeFileKinds.Object | NativeFileKinds.Header);
        // end

        string page = File.ReadAllText(RepositoryRoot.Combine("docs", "guide", "native.md")).ReplaceLineEndings("\n");
        string program = page.Split("```c\n")[1].Split("```")[0];
        File.WriteAllText(temporary.Combine("main.c"), program);
        string main = CToolchain.BuildC(folder, "main", temporary.Combine("main.c"), temporary.Combine("scorer.o"));
        string output = CToolchain.Run(main);
        Assert.That(output, Is.EqualTo("15 0\n"));
        Assert.That(page, Does.Contain($"./main\n{output}"));
    }
}
