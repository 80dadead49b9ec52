using System.IO.MemoryMappedFiles;
using Graphene.Files;
using Graphene.Tests.Support;
using Microsoft.Win32.SafeHandles;
using NUnit.Framework;

namespace Graphene.Tests.Core.Files;

/// <summary>A stamp is there when it says something, and is another one after every change.</summary>
[TestFixture]
internal sealed class FileStampTests : FolderFixture
{
    private static readonly TimeSpan Soon = FileStamp.Tick + TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Later = FileStamp.Writeback + TimeSpan.FromSeconds(1);

    private string FilePath => Folder.Combine("file");

    [SetUp]
    public void CreateFile()
    {
        File.WriteAllText(FilePath, "content");
        if (StampIn(Later) is null)
        {
            Assert.Ignore("this system or the file system of its temporary files has no stamps");
        }
    }

    [Test]
    public void AFileThatWasWrittenJustNowHasNoStamp()
    {
        Assert.That(StampIn(TimeSpan.Zero), Is.Null);
        Assert.That(StampIn(TimeSpan.FromHours(-1)), Is.Null, "the clock was set back");
        Assert.That(StampIn(Later), Is.Not.Null);
    }

    [Test]
    public void AFileThatSomebodyMayWriteToHasNoStampSoon()
    {
        Assert.That(StampIn(Soon), Is.Not.Null);
        using (File.Open(FilePath, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            Assert.That(StampIn(Soon), Is.Null, "open for writing");
        }
        using (var map = MemoryMappedFile.CreateFromFile(FilePath, FileMode.Open, null, 0, MemoryMappedFileAccess.ReadWrite))
        {
            using MemoryMappedViewAccessor view = map.CreateViewAccessor();
            Assert.That(StampIn(Soon), Is.Null, "mapped for writing");
            Assert.That(StampIn(Later), Is.Not.Null, "what is written through the mapping is noticed now");
        }
        Assert.That(StampIn(Soon), Is.Not.Null);
    }

    [Test]
    public void TheStampStaysWhileTheFileDoes()
    {
        string? stamp = StampIn(Later);
        _ = File.ReadAllText(FilePath);
        Assert.That(StampIn(Later + Later), Is.EqualTo(stamp));
        Assert.That(stamp, Does.Contain(" 7 "), "the size");
    }

    [Test]
    public void WhateverChangesTheContentChangesTheStamp()
    {
        Action<string>[] changes =
        [
            path => File.WriteAllText(path, "CONTENT"),
            path => File.AppendAllText(path, "more"),
            path => Replace(path, "CONTENT"),
            path =>
            {
                using var map = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.ReadWrite);
                using MemoryMappedViewAccessor view = map.CreateViewAccessor();
                view.Write(0, (byte)'C');
            },
        ];
        foreach (Action<string> change in changes)
        {
            string? before = StampIn(Later);
            DateTime written = File.GetLastWriteTimeUtc(FilePath);
            Thread.Sleep(20); // more than a tick
            change(FilePath);
            File.SetLastWriteTimeUtc(FilePath, written);
            Assert.That(StampIn(Later), Is.Not.Null.And.Not.EqualTo(before));
        }
    }

    [Test]
    public void WhatIsNoFileOfALocalDiskHasNoStamp()
    {
        foreach (string path in (string[])["/dev/null", "/proc/self/status", "/sys/kernel/mm/transparent_hugepage/enabled"])
        {
            if (File.Exists(path))
            {
                using SafeFileHandle file = File.OpenHandle(path);
                Assert.That(FileStamp.Of(file, DateTime.UtcNow + Later), Is.Null, path);
            }
        }
    }

    private static void Replace(string path, string text)
    {
        File.WriteAllText(path + ".new", text);
        File.Move(path + ".new", path, overwrite: true);
    }

    private string? StampIn(TimeSpan time)
    {
        using SafeFileHandle file = File.OpenHandle(FilePath, share: FileShare.ReadWrite | FileShare.Delete);
        return FileStamp.Of(file, DateTime.UtcNow + time);
    }
}
