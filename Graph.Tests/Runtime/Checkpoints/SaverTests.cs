using Graphene.Data;
using Graphene.Interop.Numpy;
using Graphene.Runtime;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Runtime.Checkpoints;

internal sealed class SaverTests : FolderFixture
{
    private string FilePath => Folder.Combine("x.safetensors");

    [Test]
    public void EverythingComesBack()
    {
        using var saved = new TrainingState(64);
        saved.Set(17);
        saved.Saver.Save(FilePath);

        using var restored = new TrainingState(64);
        RestoreReport report = restored.Saver.Restore(FilePath);

        Assert.That(restored.Step(), Is.EqualTo(17));
        Assert.That(report.IsComplete, Is.True);
        Assert.That(report.IsVerified, Is.True);
        Assert.That(
            report.Restored.Select(r => r.Name), Is.EqualTo(new[] { "dense/kernel", "dense/moment", "scale", "step", "position" }));
    }

    [Test]
    public void WhatDoesNotFitIsListedAndNothingChanges()
    {
        using var saved = new TrainingState(64);
        saved.Set(17);
        saved.Saver.Save(FilePath);
        (Graph graph, Variable scale, Variable fresh, Variable kernel) = OtherGraph();
        using var session = new Session(graph, new ReferenceCompiler());

        GraphException error = Assert.Throws<GraphException>(() => new Saver(session).Restore(FilePath))!;

        Assert.That(error.Id, Is.EqualTo(RuntimeDiagnostics.CheckpointMismatch));
        Assert.That(error.What, Does.Contain("1 missing in the checkpoint: fresh"));
        Assert.That(error.What, Does.Contain("3 unexpected in the checkpoint: dense/moment, position, step"));
        Assert.That(error.What, Does.Contain("dense/kernel is f32[16,5], in the checkpoint f32[16,4]"));
        Assert.That(session.ValueOf(scale)[0].AsDouble, Is.EqualTo(1), "nothing was restored");

        RestoreReport report = new Saver(session).Restore(FilePath, RestoreOptions.Partial);
        Assert.That(report.Restored, Is.EqualTo(new[] { new RestoredTensor("scale", "scale") }));
        Assert.That(report.Missing, Is.EqualTo(new[] { "fresh" }));
        Assert.That(report.Mismatched.Single().Found, Is.EqualTo(new TensorType(DType.F32, [16, 4])));
        Assert.That(report.IsComplete, Is.False);
        Assert.That(session.ValueOf(scale)[0].AsDouble, Is.EqualTo(17));
        Assert.That(session.ValueOf(fresh)[0].AsDouble, Is.EqualTo(1));
        Assert.That(session.ValueOf(kernel)[0].AsDouble, Is.EqualTo(1));
    }

    [TestCase(true, true, false, "1 of another type")]
    [TestCase(true, false, true, "3 unexpected")]
    [TestCase(false, true, true, "1 missing")]
    public void EachKindIsAllowedByItself(bool missing, bool unexpected, bool mismatched, string about)
    {
        using var saved = new TrainingState(64);
        saved.Saver.Save(FilePath);
        using var session = new Session(OtherGraph().Graph, new ReferenceCompiler());
        var options = new RestoreOptions { AllowMissing = missing, AllowUnexpected = unexpected, AllowMismatched = mismatched };

        Assert.That(
            () => new Saver(session).Restore(FilePath, options), Throws.TypeOf<GraphException>().With.Message.Contains(about));
    }

    [Test]
    public void NamesCanBeOthers()
    {
        var graph = new Graph();
        Variable first = graph.Variable(Literal.From<float>([1, 2], 2), "encoder/kernel");
        Variable second = graph.Variable(Literal.From<float>([3], 1), "head/kernel");
        using var session = new Session(graph, new ReferenceCompiler());
        SafetensorsFile.Write(
            FilePath, [new("old.encoder.weight", Literal.From<float>([5, 6], 2)), new("old.head.weight", Literal.From<float>([7], 1))]);

        RestoreReport report = new Saver(session).Restore(FilePath, new RestoreOptions
        {
            NameInCheckpoint = name => name.StartsWith("encoder", StringComparison.Ordinal)
                ? $"old.{name.Replace("/kernel", ".weight", StringComparison.Ordinal)}" : null,
            AllowUnexpected = true,
        });

        Assert.That(session.ValueOf(first), Is.EqualTo(Literal.From<float>([5, 6], 2)));
        Assert.That(session.ValueOf(second)[0].AsDouble, Is.EqualTo(3));
        Assert.That(report.LeftOut, Is.EqualTo(new[] { "head/kernel" }));
        Assert.That(report.Unexpected, Is.EqualTo(new[] { "old.head.weight" }));
        Assert.That(report.IsVerified, Is.True);
    }

    [Test]
    public void SomeVariablesCanBeSavedAlone()
    {
        using var saved = new TrainingState(64);
        saved.Set(3);
        new Saver(saved.Session, [saved.Graph.Variables[0]]).Save(FilePath);

        using SafetensorsFile file = SafetensorsFile.Open(FilePath);
        Assert.That(file.Names, Is.EqualTo(new[] { "dense/kernel" }));
    }

    [Test]
    public void ADamagedFileChangesNothing()
    {
        using var state = new TrainingState(64);
        state.Set(17);
        state.Saver.Save(FilePath);
        byte[] bytes = File.ReadAllBytes(FilePath);
        bytes[^5] ^= 1;
        File.WriteAllBytes(FilePath, bytes);
        state.Set(18);

        GraphException error = Assert.Throws<GraphException>(() => state.Saver.Restore(FilePath))!;

        Assert.That(error.Id, Is.EqualTo(RuntimeDiagnostics.CheckpointDamaged));
        Assert.That(state.Step(), Is.EqualTo(18));
    }

    [Test]
    public void NumpyArchivesGoInAndOut()
    {
        var graph = new Graph();
        Variable kernel = graph.Variable(Literal.From<float>([1, 2, 3, 4], 2, 2), "dense/kernel");
        Variable step = graph.Variable(Literal.From<long>([9]), "step");
        using var session = new Session(graph, new ReferenceCompiler());
        var saver = new Saver(session);
        string path = Folder.Combine("x.npz");
        NpzFile.Write(path, saver.Snapshot());
        session.Assign([(kernel, Literal.From<float>([0, 0, 0, 0], 2, 2)), (step, Literal.From<long>([0]))]);

        using NpzFile file = NpzFile.Open(path);
        RestoreReport report = saver.Restore(file);

        Assert.That(report.IsComplete, Is.True);
        Assert.That(session.ValueOf(kernel), Is.EqualTo(Literal.From<float>([1, 2, 3, 4], 2, 2)));
        Assert.That(session.ValueOf(step)[0].AsDouble, Is.EqualTo(9));
    }

    [Test]
    public void NamesMustDiffer()
    {
        using var state = new TrainingState(64);

        Assert.Throws<ArgumentException>(() => state.Saver.Track("position", () => null!, _ => { }));
        Assert.Throws<ArgumentException>(() => state.Saver.Track("scale", () => null!, _ => { }));
    }

    // A step that uses weights, an optimizer's moment, the counter of random numbers, and shuffled data.
    [Test]
    public void TwentyStepsAreTenAndARestoreAndTenMore()
    {
        using var straight = new Training();
        straight.Run(20);

        using (var first = new Training())
        {
            first.Run(10);
            first.Saver.Save(FilePath);
        }
        using var second = new Training();
        second.Run(3); // whatever it did before does not matter
        second.Saver.Restore(FilePath);
        second.Run(10);

        Assert.That(second.Values(), Is.EqualTo(straight.Values()), "bit for bit");
    }

    private static (Graph Graph, Variable Scale, Variable Fresh, Variable Kernel) OtherGraph()
    {
        var graph = new Graph();
        Literal Ones(DType type, params long[] shape) =>
            Literal.Splat(new TensorType(type, Shape.Of(shape)), Scalar.One(type));
        Variable scale = graph.Variable(Ones(DType.BF16, 64), "scale");
        Variable fresh = graph.Variable(Ones(DType.F32, 2), "fresh");
        Variable kernel = graph.Variable(Ones(DType.F32, 16, 5), "dense/kernel");
        return (graph, scale, fresh, kernel);
    }

    private sealed class Training : IDisposable
    {
        private readonly Session _session;
        private readonly Graph _graph = new();
        private readonly Tensor _x;
        private readonly Operation _step;
        private readonly DatasetIterator _data;

        public Training()
        {
            Variable weights = _graph.Variable(Literal.From<float>([0.1f, 0.2f, 0.3f], 3), "weights");
            Variable moment = _graph.Variable(Literal.From<float>([0, 0, 0], 3), "moment", trainable: false);
            Variable counter = _graph.Variable(Literal.From<long>([1]), "noise/counter", trainable: false);
            _x = _graph.Placeholder(DType.F32, [4, 3], "x");
            Tensor noise = (counter.Read().Cast(DType.F32) * 0.7 + _x.ReduceSum()).Sin();
            Operation remember = moment.Assign(moment.Read() * 0.9 + _x.ReduceMean(0) * noise);
            Operation update = weights.AssignSub(moment.Read() * 0.01 + weights.Read() * 0.001);
            _step = _graph.Group(remember, update, counter.AssignAdd(_graph.Constant(1L)));
            _session = new Session(_graph, new ReferenceCompiler());
            float[] rows = [.. Enumerable.Range(0, 30).Select(i => MathF.Sin(i))];
            _data = Dataset.FromTensors(Literal.From<float>(rows, 10, 3)).Shuffle(7)
                .Batch(4, dropRemainder: true).Repeat()
                .Prefetch().Iterate();
            Saver = new Saver(_session);
            Saver.Track("data", _data.SavePosition, _data.RestorePosition);
        }

        public Saver Saver { get; }

        public void Run(int steps)
        {
            for (int i = 0; i < steps; i++)
            {
                Assert.That(_data.MoveNext(), Is.True);
                _session.Run([], [(_x, _data.Current[0])], [_step]);
            }
        }

        public Literal[] Values() => [.. _session.ValuesOf([.. _graph.Variables]), _data.SavePosition()];

        public void Dispose()
        {
            _data.Dispose();
            _session.Dispose();
        }
    }
}
