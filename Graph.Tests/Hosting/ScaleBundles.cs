namespace Graphene.Tests.Hosting;

/// <summary>Compiled once for all tests: bundles with the numbers 2 and 3, and one that is damaged.</summary>
internal static class ScaleBundles
{
    private static readonly Lazy<byte[]> FirstBundle = new(() => ScaleModel.Bundle(2));
    private static readonly Lazy<byte[]> SecondBundle = new(() => ScaleModel.Bundle(3));

    public static byte[] Two => FirstBundle.Value;

    public static byte[] Three => SecondBundle.Value;

    public static byte[] Damaged()
    {
        byte[] bytes = [.. Three];
        bytes[^1] ^= 1;
        bytes[bytes.Length / 2] ^= 1;
        return bytes;
    }

    /// <summary>Replaces a file as one should: by renaming.</summary>
    public static void Replace(string path, byte[] content)
    {
        File.WriteAllBytes(path + ".new", content);
        File.Move(path + ".new", path, overwrite: true);
    }
}
