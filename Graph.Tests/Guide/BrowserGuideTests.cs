using Graphene.Codegen.Aot;
using Graphene.Codegen.Llvm;
using Graphene.Tests.Codegen.Aot;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Guide;

/// <summary>docs/guide/browser.md; its JavaScript runs in Node.</summary>
internal sealed class BrowserGuideTests
{
    [Test]
    public void CompileAndRunInNode()
    {
        NodeEngine.Require();
        using var temporary = new TemporaryFolder();
        string folder = temporary.Path;

        // snippet
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, ["batch", 3], "x");
        Tensor w = graph.Constant(new float[,] { { 1, 0 }, { 0, 1 }, { 1, 1 } });
        Module module = graph.ToModule([(x.MatMul(w) * 2 + 1).Relu()]) with { Name = "points", OutputNames = ["y"] };
        WasmFiles.Write(module, Path.Combine(folder, "points.wasm"), [LlvmTarget.Wasm32, LlvmTarget.Wasm32Simd]);
        // end

        string page = File.ReadAllText(RepositoryRoot.Combine("docs", "guide", "browser.md")).ReplaceLineEndings("\n");
        string[] scripts = [.. page.Split("```js\n").Skip(1).Select(block => block.Split("\n```")[0])];
        Assert.That(scripts, Has.Length.EqualTo(2));
        File.WriteAllText(temporary.Combine("page.mjs"), $"{string.Join('\n', scripts)}\nconsole.log(...y, ...rows);\n");
        Assert.That(NodeEngine.Run(temporary.Combine("page.mjs")).Trim(), Is.EqualTo("9 11 1 1 5 5"));
    }
}
