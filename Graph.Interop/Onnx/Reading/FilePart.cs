using Microsoft.Win32.SafeHandles;

namespace Graphene.Interop.Onnx.Reading;

/// <summary>An open file that is expected to stay as it is; whoever reads from it finds out when it does not.</summary>
/// <remarks>
/// Length and time of the last write are compared before and after each read. That finds every program that writes to the file
/// in earnest; who needs certainty hashes it, as the disk cache does. A file that is replaced by renaming another over it
/// stays readable as it was.
/// </remarks>
internal sealed class UnchangedFile(SafeFileHandle handle)
{
    private readonly long _length = RandomAccess.GetLength(handle);
    private readonly DateTime _written = File.GetLastWriteTimeUtc(handle);

    /// <summary>Whether the file seems to be what it was.</summary>
    public bool IsUnchanged => RandomAccess.GetLength(handle) == _length && File.GetLastWriteTimeUtc(handle) == _written;

    /// <summary>Fills a span; false when there are not enough bytes.</summary>
    public bool TryRead(long offset, Span<byte> target)
    {
        while (!target.IsEmpty)
        {
            int read = RandomAccess.Read(handle, target, offset);
            if (read == 0)
            {
                return false;
            }
            offset += read;
            target = target[read..];
        }
        return true;
    }
}

/// <summary>A tensor's bytes in a file.</summary>
/// <param name="file">The file.</param>
/// <param name="start">Where they begin in it.</param>
/// <param name="length">How many there are.</param>
/// <param name="name">The tensor.</param>
internal sealed class FilePart(UnchangedFile file, long start, long length, string name) : StoredBytes
{
    /// <inheritdoc/>
    public override long Length => length;

    /// <inheritdoc/>
    public override void Read(long offset, Span<byte> target)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + target.Length, length);
        string? problem = null;
        try
        {
            if (!file.IsUnchanged || !file.TryRead(start + offset, target) || !file.IsUnchanged)
            {
                problem = "another program wrote to the file since the model was imported";
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or UnauthorizedAccessException)
        {
            problem = e.Message;
        }
        if (problem is not null)
        {
            throw new GraphException(
                DiagnosticId.ConstantChanged, $"onnx: the data of {name} cannot be read any more", name, problem,
                "keep the file as it is until the model is compiled, and try again");
        }
    }
}
