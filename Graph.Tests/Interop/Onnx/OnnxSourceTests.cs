using Graphene.Codegen;
using Graphene.Files;
using Graphene.Interop.Onnx;
using Graphene.Interop.Onnx.Schema;
using Graphene.Runtime;
using Graphene.Tests.Runtime;
using Graphene.Tests.Support;
using NUnit.Framework;
using static Graphene.Tests.Interop.Onnx.OnnxModels;

namespace Graphene.Tests.Interop.Onnx;

/// <summary>Models that are found in the disk cache by the bytes of their file, without importing them.</summary>
[TestFixture]
internal sealed class OnnxSourceTests : FolderFixture
{
    private static readonly Dictionary<string, Feed> Zeros = new() { ["x"] = new float[4] };
    private RecordingLogger _log = new();

    [SetUp]
    public void CreateFolder()
    {
        _log = new RecordingLogger();
    }

    [Test]
    public void WhatWasCompiledIsFoundByTheBytesOfTheFileAlone()
    {
        string path = Adds(1, 2, 3, 4).Save(Folder.Path);
        IGraphCompiler compiler = Compiler();
        Assert.That(compiler.TryFind(new OnnxSource(path), _log), Is.Null);
        using (GraphProgram compiled = compiler.Compile(new OnnxSource(path), _log, default))
        {
            Assert.That(Run(compiled), Is.EqualTo(new float[] { 1, 2, 3, 4 }));
        }

        var source = new OnnxSource(path);
        _ = source.Key;
        File.Delete(path); // whoever imported it now would fail
        using GraphProgram found = compiler.TryFind(source, _log)!;
        Assert.That(Run(found), Is.EqualTo(new float[] { 1, 2, 3, 4 }));
        using GraphProgram again = compiler.Compile(source, _log, default);
        Assert.That(Run(again), Is.EqualTo(new float[] { 1, 2, 3, 4 }));
        Assert.That(source.KeyIsComplete, Is.False, "it was never loaded");
    }

    [Test]
    public void AFileThatStayedAsItIsIsNotReadAgain()
    {
        string path = Adds(1, 2, 3, 4).Save(Folder.Path);
        IGraphCompiler compiler = Compiler();
        Thread.Sleep(FileStamp.Tick + TimeSpan.FromMilliseconds(200));
        var first = new OnnxSource(path);
        if (first.Stamp is null)
        {
            Assert.Ignore("this system or the file system of its temporary files has no stamps");
        }
        compiler.Compile(first, _log, default).Dispose();
        compiler.TryFind(new OnnxSource(path), _log)!.Dispose(); // makes the link
        string link = Directory.GetFiles(Path.Join(Folder.Path, "cache"), "*.link").Single();
        using (GraphProgram found = compiler.TryFind(new OnnxSource(path), _log)!)
        {
            Assert.That(Run(found), Is.EqualTo(new float[] { 1, 2, 3, 4 }));
        }
        Assert.That(new OnnxSource(path, new OnnxImportOptions { MaxNodes = 7 }).Stamp, Is.Not.EqualTo(first.Stamp));

        // Equal name, size and time, other weights, written in place.
        DateTime time = File.GetLastWriteTimeUtc(path);
        Adds(1, 2, 3, 5).Save(Folder.Path);
        File.SetLastWriteTimeUtc(path, time);
        Assert.That(first.IsUnchanged(), Is.False);
        Assert.That(compiler.TryFind(new OnnxSource(path), _log), Is.Null);
        using GraphProgram changed = compiler.Compile(new OnnxSource(path), _log, default);
        Assert.That(Run(changed), Is.EqualTo(new float[] { 1, 2, 3, 5 }));
        Assert.That(File.Exists(link), Is.True, "it is right for the file that was");
    }

    [Test]
    public void EverythingThatChangesTheGraphChangesTheKey()
    {
        string path = Adds(1, 2, 3, 4).Save(Folder.Path);
        string key = new OnnxSource(path).Key;
        Assert.That(new OnnxSource(path).Key, Is.EqualTo(key));
        var four = new OnnxImportOptions { Dims = new Dictionary<string, long> { ["n"] = 4 } };
        Assert.That(new OnnxSource(path, four).Key, Is.Not.EqualTo(key));
        Assert.That(new OnnxSource(path, new OnnxImportOptions { MaxNodes = 7 }).Key, Is.Not.EqualTo(key));

        DateTime time = File.GetLastWriteTimeUtc(path);
        Adds(1, 2, 3, 5).Save(Folder.Path);
        File.SetLastWriteTimeUtc(path, time); // equal name, size and time, other weights
        Assert.That(new OnnxSource(path).Key, Is.Not.EqualTo(key));
    }

    [Test]
    public void AModelWithDataInOtherFilesIsNotKeptUnderTheModelsName()
    {
        string path = WithExternalData("data.bin").Save(Folder.Path);
        IGraphCompiler compiler = Compiler();
        foreach (float value in (float[])[5, 6])
        {
            byte[] data = [.. Enumerable.Repeat(BitConverter.GetBytes(value), 4).SelectMany(b => b)];
            File.WriteAllBytes(Path.Join(Folder.Path, "data.bin"), data);
            using GraphProgram program = compiler.Compile(new OnnxSource(path), _log, default);
            Assert.That(Run(program), Is.All.EqualTo(value));
        }
    }

    [Test]
    public void AFileThatIsReplacedMeanwhileIsNotKeptUnderTheOldName()
    {
        string path = Adds(1, 1, 1, 1).Save(Folder.Path);
        IGraphCompiler compiler = Compiler();
        var old = new OnnxSource(path);
        _ = old.Key;
        Adds(2, 2, 2, 2).Save(Folder.Path);
        using (GraphProgram program = compiler.Compile(old, _log, default))
        {
            Assert.That(Run(program), Is.All.EqualTo(2));
        }
        Assert.That(old.IsUnchanged(), Is.False);
        Adds(1, 1, 1, 1).Save(Folder.Path);
        using GraphProgram first = compiler.Compile(new OnnxSource(path), _log, default);
        Assert.That(Run(first), Is.All.EqualTo(1));
    }

    [Test]
    public void ADamagedEntryIsCompiledAnewWhereverTheDamageIs()
    {
        string path = Adds(1, 2, 3, 4).Save(Folder.Path);
        IGraphCompiler compiler = Compiler();
        compiler.Compile(new OnnxSource(path), _log, default).Dispose();
        string entry = Directory.GetFiles(Path.Join(Folder.Path, "cache")).Single();
        byte[] whole = File.ReadAllBytes(entry);
        int found = 0;
        for (int i = 0; i < 60; i++)
        {
            byte[] damaged = [.. whole];
            int at = (int)((long)i * (whole.Length - 1) / 59);
            damaged[at] ^= 0x40;
            Replace(entry, i % 6 == 5 ? damaged[..at] : damaged);
            using GraphProgram? program = compiler.TryFind(new OnnxSource(path), _log);
            if (program is null)
            {
                Assert.That(File.Exists(entry), Is.False);
                Assert.That(_log.Messages.Last(), Does.Contain("is removed"));
                continue;
            }
            found++; // the byte was one of those that only fill up to the next section
            Assert.That(Run(program), Is.EqualTo(new float[] { 1, 2, 3, 4 }), $"byte {at}");
        }
        Assert.That(found, Is.LessThan(40));
        using GraphProgram anew = compiler.Compile(new OnnxSource(path), _log, default);
        Assert.That(Run(anew), Is.EqualTo(new float[] { 1, 2, 3, 4 }));
        Assert.That(File.ReadAllBytes(entry), Is.EqualTo(whole));
    }

    [Test]
    public void AFileIsHashedWhenSomebodyAsksForItsName()
    {
        string path = Adds(1, 1, 1, 1).Save(Folder.Path);
        var source = new OnnxSource(path);
        Adds(2, 2, 2, 2).Save(Folder.Path);
        string key = new OnnxSource(path).Key;
        Assert.That(source.Key, Is.EqualTo(key), "nothing was hashed before");
        Adds(3, 3, 3, 3).Save(Folder.Path);
        Assert.That(source.Key, Is.EqualTo(key), "and the name stays");

        var unasked = new OnnxSource(path);
        unasked.Load();
        Assert.That(unasked.KeyIsComplete, Is.False, "a name made after loading says nothing about what was loaded");
    }

    [Test]
    public void AMissingFileIsOneReadableError() => Assert.That(
        Assert.Throws<GraphException>(() => _ = new OnnxSource(Path.Join(Folder.Path, "none.onnx")))!.Id,
        Is.EqualTo(OnnxDiagnosticIds.CannotOpen));

    [Test]
    public void WeightsThatWerePackedAreNotKeptTwice()
    {
        const int Size = 256;
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, ["batch", Size], "x");
        float[] weights = [.. Enumerable.Range(0, Size * Size).Select(i => MathF.Sin(i))];
        Tensor y = x.MatMul(graph.Constant(Literal.From<float>(weights, Size, Size)));
        using Executable made = GraphCompiler.Cpu().Compile(graph.Lower([y], null, []).Module, _log, default);
        Assert.That(made.Constants.Length, Is.InRange(Size * Size * 4, Size * Size * 5));
    }

    // y = x + the four values.
    private static ModelProto Adds(params float[] values)
    {
        ModelProto model = Model(Graph([Tensor("x", 4)], [Tensor("y", 4)], Node("Add", ["x", "w"], ["y"])));
        model.Graph.Initializer.Add(Floats("w", [4], values));
        return model;
    }

    // By renaming, as entries are written: a mapping of the old file keeps its content.
    private static void Replace(string path, byte[] bytes)
    {
        File.WriteAllBytes(path + ".new", bytes);
        File.Move(path + ".new", path, overwrite: true);
    }

    private static float[] Run(GraphProgram program) => program.Run(Zeros)[0].As<float>().ToArray();

    private CachedGraphCompiler Compiler() =>
        new(GraphCompiler.Cpu(), "cpu", DiskCache.TryOpen(Path.Join(Folder.Path, "cache"), 1 << 24, _log));
}
