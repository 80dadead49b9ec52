using Graphene.Runtime;
using NUnit.Framework;

namespace Graphene.Tests.Runtime;

[TestFixture]
internal sealed class ProcessMemoryTests
{
    [Test]
    public void OnlyUnchangedPagesOfFilesAreGivenBack()
    {
        string[] smaps =
        [
            "7f0000000000-7f0000400000 r-xp 00001000 fe:00 1234    /usr/lib/large.so",
            "Rss:                4096 kB", "Anonymous:             0 kB",
            "7f0000400000-7f0000800000 r--p 00401000 fe:00 1234    /usr/lib/large.so",
            "Rss:                4096 kB", "Anonymous:             4 kB",
            "7f0000800000-7f0000c00000 rw-p 00000000 00:00 0 ", "Rss:                4096 kB", "Anonymous:             0 kB",
            "7f0000c00000-7f0000c10000 r--p 00000000 fe:00 99      /usr/lib/small.so",
            "Rss:                  64 kB", "Anonymous:             0 kB",
            "7f0001000000-7f0001100000 r--p 00000000 fe:00 7       /opt/some library.dll",
            "Rss:                1024 kB", "Anonymous:             0 kB",
            "7f0002000000-7f0002100000 r--s 00000000 fe:00 8       /var/data", "Rss:                1024 kB", "Anonymous:             0 kB",
            "nonsense", "Rss: many", "Anonymous:", "-7f00 r-xp /x", "zz-7f00 r-xp /x", "7f0000c00000-7f0000c00000 r--p 0 0 0 /y",
        ];
        Assert.That(
            ProcessMemory.Parse(smaps).Select(m => ((ulong)m.Start, (ulong)m.Length)),
            Is.EqualTo(new (ulong, ulong)[] { (0x7f0000000000, 0x400000), (0x7f0001000000, 0x100000) }));
    }

    [Test]
    public void ATrimmedProcessGoesOnWithItsFilesAndItsMemory()
    {
        using NativeBlock block = NativeBlock.Allocate(8 << 20);
        block.Bytes(0, 8 << 20).Fill(7);
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, [.. Enumerable.Range(0, 4 << 20).Select(i => (byte)(i % 251))]);
            using MappedFile mapped = MappedFile.Open(path);
            long sum = Sum(mapped);
            ProcessMemory.Trim();
            Assert.That(Sum(mapped), Is.EqualTo(sum));
            Assert.That(block.Bytes(0, 8 << 20).IndexOfAnyExcept((byte)7), Is.EqualTo(-1));
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static long Sum(MappedFile file)
    {
        long sum = 0;
        foreach (byte b in file.Bytes(0, (int)file.Length))
        {
            sum += b;
        }
        return sum;
    }
}
