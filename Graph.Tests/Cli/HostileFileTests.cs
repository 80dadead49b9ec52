using System.Diagnostics;
using System.Text;
using Graphene.Cli;
using Graphene.Tests.Interop.Onnx;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Cli;

/// <summary>Files that are broken or mean harm: each is exit status 2 and one readable error, on every command that reads it.</summary>
internal sealed class HostileFileTests : FolderFixture
{
    private static readonly byte[] Digits = File.ReadAllBytes(RepositoryRoot.Combine("tools", "cli", "demo", "digits.onnx"));

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private const long MaxBytes = 1L << 30;

    private static IEnumerable<TestCaseData> Files() =>
        Own().Concat(OfTheImporter()).Select(c => new TestCaseData(c.Make).SetArgDisplayNames(c.Name));

    // The importer's tests look into these errors; here each goes through the commands.
    private static IEnumerable<(string Name, Func<string, string> Make)> OfTheImporter() =>
    [
        .. Interop.Onnx.HostileFileTests.All().Select(c => (c.Name, c.Make)),
        .. ImporterRefusalTests.AllGraphs().Select(
            c => (c.Name, (Func<string, string>)(folder => c.Model.Save(Directory.CreateDirectory(folder).FullName)))),
        .. ImporterRefusalTests.Locations().Select(
            c => ($"external data at '{c.Arguments[0]}', {c.Arguments[1]}, {c.Arguments[2]}", (Func<string, string>)(folder =>
            {
                File.WriteAllBytes(Path.Join(folder, "data.bin"), new byte[20]);
                File.WriteAllBytes(Path.Join(folder, "empty.bin"), []);
                return OnnxModels.WithExternalData((string)c.Arguments[0]!, (long?)c.Arguments[1], (long?)c.Arguments[2]).Save(folder);
            }))),
    ];

    private static IEnumerable<(string Name, Func<string, string> Make)> Own()
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
        yield return Text(
            "huge-dims.hlo",
            "%p0 = f32[4611686018427387904,4611686018427387904] parameter(0)\n%0 = f32[1] reshape(%p0)\nreturn %0\n");
        yield return Text("nan-dim.hlo", "%p0 = f32[nan] parameter(0)\nreturn %p0\n");
        yield return Text("negative-dim.hlo", "%p0 = f32[-2] parameter(0)\nreturn %p0\n");
        yield return Text("deep-expression.hlo", $"%p0 = f32[{new string('(', 10_000)}1] parameter(0)\nreturn %p0\n");
        yield return Text("deep-computations.hlo", string.Concat(Enumerable.Range(0, 10_000).Select(i =>
            $"@f{i} {{\n%p0 = f32[] parameter(0)\n%0 = f32[] "
                + $"{(i == 0 ? "negate(%p0)" : $"fusion(%p0), kind=loop, body=@f{i - 1}")}\nreturn %0\n}}\n")) +
            "%p0 = f32[] parameter(0)\n%0 = f32[] fusion(%p0), kind=loop, body=@f9999\nreturn %0\n");
        yield return Text("huge-constant.hlo", "%0 = f32[4611686018427387903] constant(0)\nreturn %0\n");
        yield return Text("huge-iota.hlo", "%0 = i64[1152921504606846975] iota(), dimension=0\nreturn %0\n");
        yield return Text("open-quote.hlo", "module \"never closed\n");
        yield return Case("empty.graphene", []);
        yield return Case("text.graphene", "GRAPHENE but not really"u8.ToArray());
        yield return Case("zeros.graphene", new byte[8192]);
        yield return Case("magic.graphene", [.. "GRAPHENE"u8, .. Enumerable.Repeat((byte)0xFF, 4096)]);
    }

    [Test]
    public void ThereAreManyOfThem() =>
        Assert.That(Own().Concat(OfTheImporter()).Select(c => c.Name).Distinct().Count(), Is.GreaterThanOrEqualTo(100));

    [TestCaseSource(nameof(Files))]
    public void IsRefusedWithOneReadableError(Func<string, string> make)
    {
        string path = make(Folder.Path);

        string[][] commands =
            [["run", path, "--random", "1"], ["compile", path, "-o", $"{Folder.Path}/x.graphene"], ["inspect", path]];
        foreach (string[] command in commands)
        {
            var watch = Stopwatch.StartNew();
            long before = GC.GetTotalAllocatedBytes();
            CliRun run = CliRun.Of(command);
            long allocated = GC.GetTotalAllocatedBytes() - before;

            Assert.That(run.Exit, Is.EqualTo(ExitCode.BadInput), $"{command[0]}: {run.Output}{run.Error}");
            AssertReadable(run.Error);
            Assert.That(watch.Elapsed, Is.LessThan(Patience));
            Assert.That(allocated, Is.LessThan(MaxBytes), "no file may ask for so much memory");
        }
    }

    // What could end a process in a way that no handler sees: a stack that is too deep, memory that is not there.
    [TestCase("subgraphs nested 10,000 deep")]
    [TestCase("sequence types nested 10,000 deep")]
    [TestCase("a cycle of 10,000 nodes")]
    [TestCase("five million empty nodes")]
    [TestCase("a dimension of 2^62")]
    [TestCase("deep-expression.hlo")]
    [TestCase("deep-computations.hlo")]
    [TestCase("magic.graphene")]
    public void TheProcessSurvives(string name)
    {
        string path = Own().Concat(OfTheImporter()).Single(c => c.Name == name).Make(Folder.Path);
        var start = new ProcessStartInfo("dotnet", [typeof(CommandLine).Assembly.Location, "run", path, "--random", "1"])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            Environment = { ["DOTNET_GCHeapHardLimit"] = "0x20000000" },
        };

        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        bool ended = process.WaitForExit(Patience);

        Assert.That(ended, Is.True, "it hangs");
        Assert.That(process.ExitCode, Is.EqualTo(ExitCode.BadInput), error.Result);
        AssertReadable(error.Result);
        Assert.That(error.Result, Does.Not.Contain("not enough memory"));
    }

    [TestCase("folder")]
    [TestCase("/dev/zero")]
    [TestCase("/dev/null")]
    [TestCase("missing.onnx")]
    public void IsNoRegularFile(string name)
    {
        Directory.CreateDirectory(Folder.Combine("folder"));
        if (name.StartsWith('/') && !File.Exists(name))
        {
            Assert.Ignore($"this system has no {name}");
        }

        CliRun run = CliRun.Of("run", Folder.Combine(name), "--random", "1");

        Assert.That(run.Exit, Is.EqualTo(ExitCode.BadInput));
        AssertReadable(run.Error);
    }

    [Test]
    public void EveryFlippedByteIsSurvived()
    {
        // A model with one wrong byte may still be a model; it must never be more than an error.
        string path = Folder.Combine("flipped.onnx");
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

    private static void AssertReadable(string error)
    {
        Assert.That(error, Does.StartWith("graphene: ").And.Not.Contain("internal error").And.Not.Contain("   at G"));
        Assert.That(error.Split("graphene: "), Has.Length.EqualTo(2), "one error");
    }

    private static (string Name, Func<string, string> Make) Text(string name, string content) =>
        Case(name, Encoding.UTF8.GetBytes(content));

    private static (string Name, Func<string, string> Make) Case(string name, byte[] content) => (name, folder =>
    {
        string path = Path.Combine(folder, name);
        File.WriteAllBytes(path, content);
        return path;
    });
}
