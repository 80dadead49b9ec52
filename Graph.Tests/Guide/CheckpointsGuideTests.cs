using Graphene.Data;
using Graphene.Interop.Idx;
using Graphene.Interop.Numpy;
using Graphene.Runtime;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Guide;

/// <summary>docs/guide/checkpoints.md</summary>
internal sealed class CheckpointsGuideTests : FolderFixture
{
    [Test]
    public void Training()
    {
        string folder = Folder.Combine("run");
        string imageFile = Folder.Combine("images.idx3-ubyte.gz");
        string labelFile = Folder.Combine("labels.idx1-ubyte.gz");
        IdxFile.Write(imageFile, Literal.From<byte>([.. Enumerable.Range(0, 40).Select(i => (byte)i)], 10, 2, 2));
        IdxFile.Write(labelFile, Literal.From<byte>([.. Enumerable.Range(0, 10).Select(i => (byte)i)], 10));
        var graph = new Graph();
        Tensor images = graph.Placeholder(DType.U8, [4, 2, 2], "images");
        Tensor labels = graph.Placeholder(DType.U8, [4], "labels");
        Variable weights = graph.Variable(Literal.From<float>([1]), "weights");
        Operation step = weights.AssignAdd(images.Cast(DType.F32).ReduceSum() + labels.Cast(DType.F32).ReduceMax());
        using var session = new Session(graph, new ReferenceCompiler());

        // snippet
        Dataset batches = Dataset.FromTensors(IdxFile.Read(imageFile), IdxFile.Read(labelFile))
            .Shuffle(seed: 1)
            .Batch(4, dropRemainder: true)
            .Repeat()
            .Prefetch();
        using DatasetIterator data = batches.Iterate();
        // end

        // snippet
        var saver = new Saver(session);
        saver.Track("data", data.SavePosition, data.RestorePosition);
        var checkpoints = new CheckpointFolder(folder, new CheckpointFolderOptions { Keep = 3 });

        long done = checkpoints.RestoreLatest(saver)?.Step ?? 0;
        while (done < 10 && data.MoveNext())
        {
            session.Run([], [(images, data.Current[0]), (labels, data.Current[1])], [step]);
            done++;
            if (done % 5 == 0)
            {
                checkpoints.Save(saver, done);
            }
        }
        // end
        Assert.That(checkpoints.List().Select(e => e.Step), Is.EqualTo(new long[] { 5, 10 }));
        Assert.That(session.ValueOf(weights)[0].AsDouble, Is.GreaterThan(1));
    }

    [Test]
    public void PartsAndFormats()
    {
        string path = Folder.Combine("model.safetensors");
        string archive = Folder.Combine("model.npz");
        var graph = new Graph();
        Variable kernel = graph.Variable(Literal.From<float>([1, 2], 2), "encoder/kernel");
        graph.Variable(Literal.From<float>([3], 1), "head/kernel");
        using var session = new Session(graph, new ReferenceCompiler());
        var saver = new Saver(session);
        SafetensorsFile.Write(path, [new NamedTensor("encoder.weight", Literal.From<float>([5, 6], 2))]);

        // snippet
        RestoreReport report = saver.Restore(path, new RestoreOptions
        {
            NameInCheckpoint = name => name.Replace("/kernel", ".weight", StringComparison.Ordinal),
            AllowMissing = true,
        });
        Console.WriteLine(report);
        // end
        Assert.That(report.Missing, Has.Length.EqualTo(1));
        Assert.That(session.ValueOf(kernel).As<float>()[0], Is.EqualTo(5));

        // snippet
        NpzFile.Write(archive, saver.Snapshot());
        using NpzFile file = NpzFile.Open(archive);
        saver.Restore(file);
        // end

        // snippet
        using SafetensorsFile weights = SafetensorsFile.Open(path);
        foreach (string name in weights.Names)
        {
            Literal value = weights.Read(name);
        }
        // end
        Assert.That(weights.Verify(), Is.True);
    }
}
