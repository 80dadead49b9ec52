using System.Text;
using Graphene.Cli;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Cli;

/// <summary>Files that are broken or mean harm: each is exit status 2 and one readable error, on every command that reads it.</summary>
internal sealed class HostileFileTests
{
    private static readonly byte[] Digits = File.ReadAllBytes(RepositoryRoot.Combine("tools", "cli", "demo", "digits.onnx"));

    private string _folder = "";

    private static IEnumerable<TestCaseData> Files()
    {
        yield return Case("empty.onnx", []);
        yield return Case("zeros.onnx", new byte[4096]);
        yield return Case("ones.onnx", [.. Enumerable.Repeat((byte)0xFF, 4096)]);
        yield return Case("text.onnx", "this is not a model"u8.ToArray());
        yield return Case("archive.onnx", [0x50, 0x4B, 3, 4, 0, 0, 0, 0]);
        yield return Case("html.onnx", "<!doctype html><title>404</title>"u8.ToArray());
        yield return Case("pointer.onnx", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"u8.ToArray());
        foreach (int percent in new[] { 1, 10, 50, 90, 99 })
        {
            yield return Case($"truncated-{percent}.onnx", Digits[..(Digits.Length * percent / 100)]);
        }
        yield return Case("long-length.onnx", [0x3A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 1, 2, 3]);
        yield return Case("endless-varint.onnx", [0x08, .. Enumerable.Repeat((byte)0x80, 64)]);
        yield return Case("no-graph.onnx", [0x08, 8, 0x42, 2, 0x10, 17]);
        yield return Case("empty.hlo", []);
        yield return Case("binary.hlo", [.. Enumerable.Range(0, 512).Select(i => (byte)i)]);
        yield return Text("unknown-op.hlo", "%p0 = f32[2] parameter(0)\n%0 = f32[2] frobnicate(%p0)\nreturn %0\n");
        yield return Text("unknown-value.hlo", "%0 = f32[2] negate(%9)\nreturn %0\n");
        yield return Text("wrong-type.hlo", "%p0 = f32[2] parameter(0)\n%0 = f32[3] negate(%p0)\nreturn %0\n");
        yield return Text("cut-off.hlo", "%p0 = f32[2] para");
        yield return Text("huge-dims.hlo", "%p0 = f32[4611686018427387904,4611686018427387904] parameter(0)\n%0 = f32[1] reshape(%p0)\nreturn %0\n");
        yield return Text("nan-dim.hlo", "%p0 = f32[nan] parameter(0)\nreturn %p0\n");
        yield return Text("negative-dim.hlo", "%p0 = f32[-2] parameter(0)\nreturn %p0\n");
        yield return Text("deep-expression.hlo", $"%p0 = f32[{new string('(', 10_000)}1] parameter(0)\nreturn %p0\n");
        yield return Text("open-quote.hlo", "module \"never closed\n");
        yield return Case("empty.graphene", []);
        yield return Case("text.graphene", "GRAPHENE but not really"u8.ToArray());
        yield return Case("zeros.graphene", new byte[8192]);
        yield return Case("magic.graphene", [.. "GRAPHENE"u8, .. Enumerable.Repeat((byte)0xFF, 4096)]);
    }

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("graphene-hostile-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [TestCaseSource(nameof(Files))]
    public void IsRefusedWithOneReadableError(string name, byte[] content)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, content);

        foreach (string[] command in new[] { new[] { "run", path, "--random", "1" }, ["check", path], ["bench", path], ["inspect", path] })
        {
            CliRun run = CliRun.Of(command);

            Assert.That(run.Exit, Is.EqualTo(ExitCode.BadInput), $"{command[0]}: {run.Output}{run.Error}");
            Assert.That(run.Error, Does.StartWith("graphene: ").And.Not.Contain("internal error").And.Not.Contain("   at G"));
        }
    }

    [TestCase("folder")]
    [TestCase("/dev/zero")]
    [TestCase("/dev/null")]
    [TestCase("missing.onnx")]
    public void IsNoRegularFile(string name)
    {
        Directory.CreateDirectory(Path.Combine(_folder, "folder"));
        if (name.StartsWith('/') && !File.Exists(name))
        {
            Assert.Ignore($"this system has no {name}");
        }

        CliRun run = CliRun.Of("run", Path.Combine(_folder, name), "--random", "1");

        Assert.That(run.Exit, Is.EqualTo(ExitCode.BadInput));
        Assert.That(run.Error, Does.StartWith("graphene: ").And.Not.Contain("internal error"));
    }

    [Test]
    public void EveryFlippedByteIsSurvived()
    {
        // A model with one wrong byte may still be a model; it must never be more than an error.
        string path = Path.Combine(_folder, "flipped.onnx");
        for (int at = 0; at < 200; at++)
        {
            byte[] bytes = [.. Digits];
            bytes[at] ^= 0xFF;
            File.WriteAllBytes(path, bytes);

            CliRun run = CliRun.Of("check", path);

            Assert.That(run.Exit, Is.AnyOf(ExitCode.Success, ExitCode.Negative, ExitCode.BadInput));
            Assert.That(run.Error, Does.Not.Contain("internal error"), $"byte {at}");
        }
    }

    private static TestCaseData Text(string name, string content) => Case(name, Encoding.UTF8.GetBytes(content));

    private static TestCaseData Case(string name, byte[] content) => new TestCaseData(name, content).SetName(name);
}
