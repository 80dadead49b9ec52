namespace Graphene.Runtime;

/// <summary>Copies between a device and memory of the host that it cannot reach by itself, through two pieces that it can.</summary>
/// <remarks>
/// While the device copies one piece, the host fills or empties the other. Small copies are left to the driver, which has room for them.
/// </remarks>
/// <param name="device">The device.</param>
/// <param name="stream">Where copies go.</param>
internal sealed unsafe class HostStaging(GpuDevice device, GpuStream stream) : IDisposable
{
    /// <summary>From this size on copies are staged.</summary>
    public const long StagedBytes = 64 << 10;

    private const int Pieces = 2;
    private const long MostPieceBytes = 4 << 20;
    private readonly NativeBlock?[] _pieces = new NativeBlock?[Pieces];
    private readonly GpuEvent?[] _copied = new GpuEvent?[Pieces];
    private long _pieceBytes;

    /// <summary>Copies to the device; the host's memory may change when this returns.</summary>
    public void Upload(nint to, byte* from, long bytes)
    {
        if (bytes < StagedBytes)
        {
            stream.CopyToDevice(to, from, bytes);
            return;
        }
        MakePieces(bytes);
        int piece = 0;
        for (long at = 0; at < bytes; at += _pieceBytes)
        {
            long length = Math.Min(_pieceBytes, bytes - at);
            _copied[piece]!.Synchronize();
            byte* staged = _pieces[piece]!.Pointer;
            Buffer.MemoryCopy(from + at, staged, length, length);
            stream.CopyToDevice(to + (nint)at, staged, length);
            stream.Record(_copied[piece]!);
            piece = (piece + 1) % Pieces;
        }
    }

    /// <summary>
    /// Copies from the device; what was copied is there when this returns, unless it is small: then when the
    /// stream is waited for.
    /// </summary>
    public void Download(byte* to, nint from, long bytes)
    {
        if (bytes < StagedBytes)
        {
            stream.CopyToHost(to, from, bytes);
            return;
        }
        MakePieces(bytes);
        long begun = 0;
        int next = 0;
        void Begin()
        {
            if (begun < bytes)
            {
                stream.CopyToHost(_pieces[next]!.Pointer, from + (nint)begun, Math.Min(_pieceBytes, bytes - begun));
                stream.Record(_copied[next]!);
                begun += _pieceBytes;
                next = (next + 1) % Pieces;
            }
        }
        Begin();
        int piece = 0;
        for (long at = 0; at < bytes; at += _pieceBytes)
        {
            Begin();
            long length = Math.Min(_pieceBytes, bytes - at);
            _copied[piece]!.Synchronize();
            Buffer.MemoryCopy(_pieces[piece]!.Pointer, to + at, length, length);
            piece = (piece + 1) % Pieces;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Array.ForEach(_pieces, p => p?.Dispose());
        Array.ForEach(_copied, e => e?.Dispose());
    }

    private void MakePieces(long bytes)
    {
        long wanted = Math.Min(MostPieceBytes, bytes);
        if (_pieceBytes >= wanted)
        {
            return;
        }
        for (int i = 0; i < Pieces; i++)
        {
            _copied[i] ??= device.CreateEvent(hasTime: false);
            _copied[i]!.Synchronize(); // what is on its way reads or writes the old piece
            _pieces[i]?.Dispose();
            _pieces[i] = null;
            _pieceBytes = 0;
            _pieces[i] = device.AllocateHost(wanted);
        }
        _pieceBytes = wanted;
    }
}
