using Graphene.Runtime;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Runtime.Checkpoints;

internal sealed class CheckpointFolderTests : FolderFixture
{
    private TrainingState _state = null!;

    private string FolderPath => Folder.Combine("run/checkpoints");

    [SetUp]
    public void MakeState() => _state = new TrainingState(64);

    public override void Dispose()
    {
        _state.Dispose();
        base.Dispose();
    }

    [Test]
    public void AnEmptyFolderHasNothingToRestore()
    {
        Assert.That(Checkpoints().RestoreLatest(_state.Saver), Is.Null);
        Assert.That(Checkpoints().List(), Is.Empty);
    }

    [Test]
    public void TheLastAreKept()
    {
        CheckpointFolder folder = Checkpoints(keep: 3);
        SaveSteps(folder, 1, 2, 3, 5, 8);

        Assert.That(folder.List().Select(e => e.Step), Is.EqualTo(new long[] { 3, 5, 8 }));
        Assert.That(
            CheckpointFiles(),
            Is.EqualTo(new[] { "checkpoint-3.safetensors", "checkpoint-5.safetensors", "checkpoint-8.safetensors" }));
    }

    [Test]
    public void SomeAreKeptForEver()
    {
        var folder = new CheckpointFolder(FolderPath, new CheckpointFolderOptions { Keep = 1, KeepEvery = 10 });
        SaveSteps(folder, 5, 10, 15, 20, 25);

        Assert.That(folder.List().Select(e => e.Step), Is.EqualTo(new long[] { 10, 20, 25 }));
    }

    [Test]
    public void TheLatestIsRestored()
    {
        SaveSteps(Checkpoints(), 1, 2, 3);
        _state.Set(9);

        RestoredCheckpoint restored = Checkpoints().RestoreLatest(_state.Saver)!;

        Assert.That(restored.Step, Is.EqualTo(3));
        Assert.That(restored.Report.IsVerified, Is.True);
        Assert.That(restored.Damaged, Is.Empty);
        Assert.That(_state.Step(), Is.EqualTo(3));
    }

    [Test]
    public void ADamagedOneIsPassedOver()
    {
        SaveSteps(Checkpoints(), 1, 2);
        string path = Path.Combine(FolderPath, "checkpoint-2.safetensors");
        byte[] bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 0x80;
        File.WriteAllBytes(path, bytes);

        RestoredCheckpoint restored = Checkpoints().RestoreLatest(_state.Saver)!;

        Assert.That(restored.Step, Is.EqualTo(1));
        Assert.That(_state.Step(), Is.EqualTo(1));
        Assert.That(restored.Damaged.Single().Path, Is.EqualTo(path));
        Assert.That(restored.Damaged.Single().Reason, Does.Contain("SHA-256"));
    }

    [Test]
    public void AMissingOneIsPassedOver()
    {
        SaveSteps(Checkpoints(), 1, 2);
        File.Delete(Path.Combine(FolderPath, "checkpoint-2.safetensors"));

        Assert.That(Checkpoints().RestoreLatest(_state.Saver)!.Step, Is.EqualTo(1));
    }

    [Test]
    public void WhenAllAreDamagedThatIsAnError()
    {
        SaveSteps(Checkpoints(), 1);
        File.WriteAllText(Path.Combine(FolderPath, "checkpoint-1.safetensors"), "nothing");

        Assert.That(
            () => Checkpoints().RestoreLatest(_state.Saver),
            Throws.TypeOf<GraphException>().With.Property(nameof(GraphException.Id)).EqualTo(RuntimeDiagnostics.CheckpointDamaged));
    }

    [Test]
    public void ATrainingThatWasSetBackGoesAnotherWay()
    {
        CheckpointFolder folder = Checkpoints();
        SaveSteps(folder, 1, 2, 3, 4);
        SaveSteps(folder, 2);

        Assert.That(folder.List().Select(e => e.Step), Is.EqualTo(new long[] { 1, 2 }));
        Assert.That(CheckpointFiles(), Has.Length.EqualTo(2));
    }

    [Test]
    public void WithoutItsListAFolderIsReadFromItsFiles()
    {
        SaveSteps(Checkpoints(), 1, 2, 10);
        File.Delete(Path.Combine(FolderPath, "checkpoints.json"));
        File.WriteAllText(Path.Combine(FolderPath, "checkpoint-11.safetensors"), "not one");

        Assert.That(Checkpoints().RestoreLatest(_state.Saver)!.Step, Is.EqualTo(10));
        Assert.That(Checkpoints().List().Select(e => e.Step), Is.EqualTo(new long[] { 1, 2, 10 }));
    }

    [Test]
    public void WhatADeadProcessLeftIsClearedAway()
    {
        SaveSteps(Checkpoints(), 1);
        File.WriteAllText(Path.Combine(FolderPath, "checkpoint-7.safetensors.0123.tmp"), "half");
        File.WriteAllText(Path.Combine(FolderPath, "checkpoint-6.safetensors"), "renamed, but not in the list yet");
        File.WriteAllText(Path.Combine(FolderPath, "notes.txt"), "mine");
        SaveSteps(Checkpoints(), 2);

        Assert.That(
            Directory.GetFiles(FolderPath).Select(Path.GetFileName),
            Is.EquivalentTo(new[] { "checkpoint-1.safetensors", "checkpoint-2.safetensors", "checkpoints.json", "notes.txt", ".lock" }));
    }

    [Test]
    public void TwoDoNotSaveAtOnce()
    {
        SaveSteps(Checkpoints(), 1);
        using var other = new FileStream(Path.Combine(FolderPath, ".lock"), FileMode.Open, FileAccess.ReadWrite, FileShare.None);

        Assert.That(
            () => Checkpoints().Save(_state.Saver, 2),
            Throws.TypeOf<GraphException>().With.Property(nameof(GraphException.Id)).EqualTo(RuntimeDiagnostics.CheckpointInUse));
        Assert.That(Checkpoints().RestoreLatest(_state.Saver)!.Step, Is.EqualTo(1), "reading needs no lock");
    }

    [TestCase("")]
    [TestCase("[]")]
    [TestCase("{\"format\":2,\"checkpoints\":[]}")]
    [TestCase("{\"format\":1}")]
    [TestCase("{\"format\":1,\"checkpoints\":[{\"step\":1}]}")]
    [TestCase("{\"format\":1,\"checkpoints\":[{\"step\":1,\"file\":\"../checkpoint-1.safetensors\",\"sha256\":\"DIGEST\"}]}")]
    [TestCase("{\"format\":1,\"checkpoints\":[{\"step\":2,\"file\":\"checkpoint-1.safetensors\",\"sha256\":\"DIGEST\"}]}")]
    [TestCase("{\"format\":1,\"checkpoints\":[{\"step\":-1,\"file\":\"checkpoint--1.safetensors\",\"sha256\":\"DIGEST\"}]}")]
    [TestCase("{\"format\":1,\"checkpoints\":[[[[[[[[]]]]]]]]}")]
    public void HostileListsAreReported(string text)
    {
        Directory.CreateDirectory(FolderPath);
        string json = text.Replace("DIGEST", new string('0', 64), StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(FolderPath, "checkpoints.json"), json);

        Assert.That(
            () => Checkpoints().RestoreLatest(_state.Saver),
            Throws.TypeOf<GraphException>().With.Property(nameof(GraphException.Id)).EqualTo(RuntimeDiagnostics.CheckpointDamaged));
        Assert.That(
            () => Checkpoints().Save(_state.Saver, 1), Throws.TypeOf<GraphException>(),
            "no checkpoint is deleted because of a list like that");
    }

    [Test]
    public void AFolderThatCannotBeIsReported()
    {
        File.WriteAllText(Folder.Combine("file"), "");

        Assert.That(
            () => new CheckpointFolder(Folder.Combine("file/below")).Save(_state.Saver, 1),
            Throws.TypeOf<GraphException>().With.Property(nameof(GraphException.Id)).EqualTo(RuntimeDiagnostics.CheckpointAccess));
    }

    private CheckpointFolder Checkpoints(int keep = 5) => new(FolderPath, new CheckpointFolderOptions { Keep = keep });

    private void SaveSteps(CheckpointFolder folder, params long[] steps)
    {
        foreach (long step in steps)
        {
            _state.Set(step);
            folder.Save(_state.Saver, step);
        }
    }

    private string?[] CheckpointFiles() =>
        [.. Directory.GetFiles(FolderPath, "checkpoint-*").Select(Path.GetFileName).Order(StringComparer.Ordinal)];
}
