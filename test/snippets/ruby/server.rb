# As much of a Rails controller as `gatehouse snippet rails` uses, over HTTP. ruby server.rb PORT FILE
require "json"
require "openssl"
require "socket"
require ARGV[1]

Request = Struct.new(:authorization)

class Answer
  attr_reader :headers

  def initialize = @headers = {}
  def set_header(name, value) = @headers[name] = value
end

class Orders
  include AccessToken
  attr_reader :request, :response, :status, :claims

  def initialize(authorization)
    @request = Request.new(authorization)
    @response = Answer.new
  end

  def head(status) = @status = status
end

server = TCPServer.new("127.0.0.1", Integer(ARGV[0]))
loop do
  socket = server.accept
  headers = {}
  socket.gets
  while (line = socket.gets) && line != "\r\n"
    name, value = line.chomp.split(": ", 2)
    headers[name.downcase] = value
  end
  orders = Orders.new(headers["authorization"])
  orders.require_scope("orders:read")
  body = orders.status ? "" : JSON.generate({ sub: orders.claims["sub"] })
  socket.write("HTTP/1.1 #{orders.status || 200} -\r\n")
  { "Connection" => "close", "Content-Length" => body.bytesize, **orders.response.headers }.each do |name, value|
    socket.write("#{name}: #{value}\r\n")
  end
  socket.write("\r\n#{body}")
  socket.close
end
