using Graphene.Codegen;
using Graphene.Codegen.Ptx;
using Graphene.Tests.Codegen.KernelIr.Threads;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>Architectures, versions of PTX, and what older GPUs have not.</summary>
internal sealed class PtxTargetTests
{
    [TestCase("sm_70", "sm_70", "6.0", false)]
    [TestCase("sm_75", "sm_75", "6.3", false)]
    [TestCase("sm_80", "sm_80", "7.0", false)]
    [TestCase("sm_86", "sm_86", "7.1", false)]
    [TestCase("sm_89", "sm_89", "7.8", false)]
    [TestCase("sm_90", "sm_90", "7.8", false)]
    [TestCase("sm_90a", "sm_90a", "8.0", false)]
    [TestCase("sm_100", "sm_90", "7.8", true)]
    [TestCase("sm_100a", "sm_90", "7.8", true)]
    public void TextIsForTheOldestLanguageThatHasTheArchitecture(string gpu, string architecture, string version, bool isOlder)
    {
        var target = PtxTarget.Parse(gpu);
        Assert.That(target.ToString(), Is.EqualTo($"{architecture}, PTX {version}"));
        Assert.That(target.IsOlder, Is.EqualTo(isOlder));
        using var compiler = new PtxCompiler(target, threads: 1);
        compiler.Add(ThreadKernel.Of("store(y, t, load[1](x, t))"));
        string text = compiler.Finish().Text;
        Assert.That(text, Does.Contain($"\n.version {version}\n.target {architecture}\n.address_size 64\n"));
        Assert.That(text.Contains($"// For {target.Gpu}", StringComparison.Ordinal), Is.EqualTo(isOlder));
        Assert.That(text.Split(".version"), Has.Length.EqualTo(2));
    }

    [TestCase("sm_75", "shared s: f32[64]\nasync_copy[1](s, t, x, t)", "cp.async needs sm_80")]
    [TestCase("sm_75", "register s: f64x2 = f64x2 0\nfragment_dot[8, 8, 4, f64, f64, f64](s, f64 1, f64 1)", "mma.sync needs sm_80")]
    [TestCase("sm_70", "shared s: f32[256]\nfragment_load v: f32 = rows[1](s, multiply(remainder(t, 8), 4))", "ldmatrix needs sm_75")]
    [TestCase("sm_80", "shared s: f64[30000]", "shares 240000 bytes")]
    public void WhatAGpuHasNotIsRefused(string gpu, string body, string message)
    {
        using var compiler = new PtxCompiler(PtxTarget.Parse(gpu), threads: 1);
        Assert.That(() => compiler.Add(ThreadKernel.Of(body)), Throws.TypeOf<CompilerBugException>().With.Message.Contains(message));
    }

    [Test]
    public void GroupsWithoutCopiesAreNothingWhereThereAreNoCopies()
    {
        using var compiler = new PtxCompiler(PtxTarget.Parse("sm_75"), threads: 1);
        compiler.Add(ThreadKernel.Of("async_commit\nasync_wait 0\nstore(y, t, load[1](x, t))"));
        Assert.That(compiler.Finish().Text, Does.Not.Contain("cp.async"));
    }

    [Test]
    public void EqualKernelsAreOneWithTheirOwnSymbols()
    {
        using var compiler = new PtxCompiler(PtxTarget.Parse("sm_80"), threads: 1);
        PtxKernel n = compiler.Add(OverSymbol("n"));
        PtxKernel m = compiler.Add(OverSymbol("m"));
        PtxModule module = compiler.Finish();
        Assert.That(module.Kernels, Has.Length.EqualTo(1));
        Assert.That(m.Name, Is.EqualTo(n.Name));
        Assert.That(m.Symbols.Single().Name, Is.EqualTo("m"));
        Assert.That(m.Buffers, Is.EqualTo(2));
    }

    private static Kernel OverSymbol(string name) => KernelParser.Parse(
        $$"""
        kernel "copy" flops=0 bytes=0
        symbol {{name}} in 0..1000
        argument 0 x: f32 readonly
        argument 1 y: f32
        task b of @{{name}}
        threads t of 64
        {
          if less(t, @{{name}})
          {
            store(y, t, load[1](x, t))
          }
        }
        """);
}
