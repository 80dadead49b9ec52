using System.Net;

namespace Graphene.Tests.Codegen.Aot;

/// <summary>Serves the files of a folder on a free port of this machine.</summary>
internal sealed class FolderServer : IDisposable
{
    private readonly HttpListener _listener;
    private readonly string _folder;

    public FolderServer(string folder)
    {
        _folder = folder;
        (_listener, Address) = Listen();
        _ = Task.Run(Serve);
    }

    /// <summary>Ends with a slash.</summary>
    public Uri Address { get; }

    public void Dispose() => _listener.Close();

    private static (HttpListener Listener, Uri Address) Listen()
    {
        var random = new Random();
        while (true)
        {
            var address = new Uri($"http://127.0.0.1:{random.Next(20000, 60000)}/");
            var listener = new HttpListener { Prefixes = { address.ToString() } };
            try
            {
                listener.Start();
                return (listener, address);
            }
            catch (HttpListenerException)
            {
                // Somebody else has that port.
            }
        }
    }

    private async Task Serve()
    {
        try
        {
            while (_listener.IsListening)
            {
                await Answer(await _listener.GetContextAsync());
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
            // Closed.
        }
    }

    private async Task Answer(HttpListenerContext context)
    {
        string name = context.Request.Url!.AbsolutePath.TrimStart('/');
        string file = Path.Combine(_folder, Path.GetFileName(name.Length == 0 ? "index.html" : name));
        context.Response.StatusCode = File.Exists(file) ? 200 : 404;
        context.Response.ContentType = Path.GetExtension(file) switch
        {
            ".html" => "text/html; charset=utf-8",
            ".mjs" => "text/javascript; charset=utf-8",
            ".wasm" => "application/wasm",
            _ => "application/octet-stream",
        };
        if (context.Response.StatusCode == 200)
        {
            byte[] bytes = await File.ReadAllBytesAsync(file);
            await context.Response.OutputStream.WriteAsync(bytes);
        }
        context.Response.Close();
    }
}
