using System.Runtime.CompilerServices;
using Graphene.Runtime.Interop;
using Microsoft.Win32.SafeHandles;

namespace Graphene.Runtime;

/// <summary>Where an executable is read from: an open file, or a copy in memory of what came from elsewhere.</summary>
/// <remarks>
/// What is read is a copy that nobody else can change, so what was verified is what is used. Constants are used where they lie.
/// </remarks>
internal sealed unsafe class FileSource : IDisposable
{
    private readonly SafeFileHandle? _file;
    private readonly NativeBlock? _block;
    private bool _ownsBlock;

    private FileSource(SafeFileHandle? file, NativeBlock? block, long length)
    {
        _file = file;
        _block = block;
        _ownsBlock = block is not null;
        Length = length;
    }

    /// <summary>All bytes there are.</summary>
    public long Length { get; }

    /// <summary>The file, if it is one.</summary>
    public SafeFileHandle? File => _file;

    /// <summary>Opens a file.</summary>
    public static FileSource Open(string path)
    {
        SafeFileHandle file = (OperatingSystem.IsWindows() ? null : Libc.TryOpenToRead(path))
            ?? OpenElsewhere(path);
        try
        {
            return new FileSource(file, null, Libc.ReadsFiles ? Libc.LengthOf(file) : RandomAccess.GetLength(file));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Takes bytes, of which there is one copy from here on.</summary>
    public static FileSource Copy(ReadOnlySpan<byte> bytes)
    {
        NativeBlock block = Allocate(bytes.Length);
        bytes.CopyTo(block.Bytes(0, bytes.Length));
        return new FileSource(null, block, bytes.Length);
    }

    /// <summary>Reads a stream to its end. Memory grows with what comes, whatever the first bytes promise.</summary>
    public static FileSource Copy(Stream stream)
    {
        const int Step = 1 << 20;
        NativeBlock block = Allocate(Step);
        try
        {
            long length = 0;
            while (true)
            {
                if (length == (long)block.Length)
                {
                    NativeBlock larger = Allocate(checked(2 * length));
                    Buffer.MemoryCopy(block.Pointer, larger.Pointer, length, length);
                    block.Dispose();
                    block = larger;
                }
                int read = stream.Read(block.Bytes(length, (int)Math.Min(Step, (long)block.Length - length)));
                if (read == 0)
                {
                    return new FileSource(null, block, length);
                }
                length += read;
            }
        }
        catch
        {
            block.Dispose();
            throw;
        }
    }

    /// <summary>A copy of some of the bytes.</summary>
    /// <exception cref="InvalidDataException">They are not there.</exception>
    public byte[] Read(long offset, long length)
    {
        if (length > Array.MaxLength || !PlanVerifier.LiesInside(offset, length, Length))
        {
            throw new InvalidDataException("it ends too early");
        }
        byte[] bytes = new byte[length];
        if (_block is { } block)
        {
            block.Bytes(offset, bytes.Length).CopyTo(bytes);
            return bytes;
        }
        int done = 0;
        while (done < bytes.Length)
        {
            int read = Libc.ReadsFiles ? Libc.Read(_file!, bytes, done, offset + done) : ReadElsewhere(_file!, bytes, done, offset + done);
            if (read == 0)
            {
                throw new InvalidDataException("it ends too early");
            }
            done += read;
        }
        return bytes;
    }

    /// <summary>
    /// The constants, where they lie. A copy in memory belongs to them from here on; the rest of it can be read as long
    /// as they are there.
    /// </summary>
    /// <param name="section">Their section, inside <see cref="Length"/>.</param>
    /// <exception cref="InvalidDataException">The file became shorter or longer.</exception>
    public ConstantData Constants(FileSection section)
    {
        if (_block is { } block)
        {
            _ownsBlock = false;
            return ConstantData.Of(block, section.Offset, section.Length);
        }
        MappedFile file = MappedFile.Open(_file!);
        try
        {
            return file.Length == Length
                ? ConstantData.Of(file, section.Offset, section.Length)
                : throw new InvalidDataException("its length changed while it was read");
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _file?.Dispose();
        if (_ownsBlock)
        {
            _block!.Dispose();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)] // or its types would be its caller's, like the next one's
    private static SafeFileHandle OpenElsewhere(string path) => System.IO.File.OpenHandle(path, share: FileShare.Read | FileShare.Delete);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int ReadElsewhere(SafeFileHandle file, byte[] bytes, int at, long offset) =>
        RandomAccess.Read(file, bytes.AsSpan(at), offset);

    // From a page upwards blocks begin on pages.
    private static NativeBlock Allocate(long length) => NativeBlock.Allocate(Math.Max(length, FileLayout.PageBytes));
}
